"""Exports spans: the SDK's processor gathers them for the configured exporter.

The SDK itself reads the other OTEL_EXPORTER_OTLP_* variables (timeout, compression, certificates).
A collector that is away costs spans, never requests, and one log line a minute.

Over OTLP's HTTP, the usual way, spans are gathered as they are and written many at once
(`written.py`). For every other exporter each becomes one of the SDK's spans when it ends.
"""

import logging
import os
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from orders.config import ConfigError
from orders.telemetry.readable import Readable
from orders.telemetry.spans import Spans
from orders_common.masking import masked
from orders_common.parse import split_pairs

if TYPE_CHECKING:
    from orders.config import TracingConfig

_QUIET_SECONDS: Final = 60.0

log = logging.getLogger("orders.telemetry")


def spans(config: "TracingConfig", version: str) -> Spans:
    """Return what makes spans; each span is exported, because sampling came before.

    Raises:
        ConfigError: a variable that the SDK itself reads is wrong.

    """
    try:
        made = _spans(config, version)
    except Exception as error:
        raise ConfigError(_refused(error)) from error
    _calm()
    return made


def _spans(config: "TracingConfig", version: str) -> Spans:
    exporter = _exporter(config)
    gathering = partial(
        BatchSpanProcessor,
        schedule_delay_millis=config.schedule_delay,
        max_queue_size=config.max_queue_size,
        max_export_batch_size=config.max_batch_size,
    )
    resource, scope = _resource(config, version), InstrumentationScope("orders", version)
    if config.exporter == "otlp" and config.protocol != "grpc":
        from orders.telemetry import written  # noqa: PLC0415  only its exporter needs it

        if written.is_possible():
            processor = gathering(written.Written(exporter, resource, scope))
            return Spans(written.put(processor), processor.shutdown)
        log.warning("this OpenTelemetry SDK has other internals: spans cost more")
    processor, readable = gathering(exporter), Readable(resource, scope)
    return Spans(lambda span: processor.on_end(readable(span)), processor.shutdown)


def _refused(error: Exception) -> str:
    """Say which of its own variables the SDK refuses, by the value that its error has."""
    text = str(error)
    names = [
        n for n, value in os.environ.items() if n.startswith("OTEL_") and value and value in text
    ]
    which = " or ".join(sorted(names)) or "one of its OTEL_* variables"
    return masked(f"OpenTelemetry's SDK does not accept {which}: {text}")


def _resource(config: "TracingConfig", version: str) -> Resource:
    """Describe this process: by what is set, else by what the SDK detects, else by the release."""
    detected = Resource.create({**config.resource_attributes, "service.name": config.service_name})
    return Resource({"service.version": version}).merge(detected)


def _exporter(config: "TracingConfig") -> SpanExporter:
    """Make the exporter; what is None it reads from its own variables, or it has a default."""
    if config.exporter == "console":
        return ConsoleSpanExporter(out=sys.stderr)  # stdout is the log's
    if config.exporter == "zipkin":
        from opentelemetry.exporter.zipkin.json import ZipkinExporter  # noqa: PLC0415  the same

        return ZipkinExporter(endpoint=config.endpoint)
    headers = None if config.headers is None else split_pairs(config.headers)
    if config.protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import (  # noqa: PLC0415  the same
            trace_exporter as grpc,
        )

        # gRPC takes names in lower case alone.
        lower = None if headers is None else {k.lower(): v for k, v in headers.items()}
        return grpc.OTLPSpanExporter(endpoint=config.endpoint, headers=lower)
    from orders.telemetry import sending  # noqa: PLC0415  the same

    return sending.exporter(config.endpoint, headers)


class _Calm(logging.Filter):
    """Lets one complaint a minute through, of all the loggers that share it."""

    def __init__(self) -> None:
        super().__init__()
        self._quiet_until = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        now = time.monotonic()
        if now < self._quiet_until:
            return False
        self._quiet_until = now + _QUIET_SECONDS
        if record.exc_info and record.exc_info[1]:  # its traceback is of the library
            record.msg, record.args = f"{record.getMessage()} {record.exc_info[1]}", ()
            record.exc_info = None
        return True


def _calm() -> None:
    """Filter the loggers of the SDK and its exporter, which tell one failure in several lines.

    A logger's filter does not hold for those below it: all must be there, the exporter's too.
    """
    calm = _Calm()
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("opentelemetry"):
            logging.getLogger(name).addFilter(calm)
