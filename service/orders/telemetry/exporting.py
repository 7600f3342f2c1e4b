"""Where spans go: the SDK's provider, with the exporter that is configured.

The SDK reads what else there is of OTEL_EXPORTER_OTLP_* variables itself (time-out, compression,
certificates). A collector that is away costs spans, never requests, and one log line a minute.
"""

import logging
import sys
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from orders.telemetry.spans import GivenIds, Spans

if TYPE_CHECKING:
    from orders.config import TracingConfig

LINKS: Final = 10_000
"""Links a batch's span may have; the SDK's own bound, 128, is less than a batch."""
_QUIET_SECONDS: Final = 60.0


def spans(config: "TracingConfig", service_name: str, version: str) -> Spans:
    """Make what starts spans; each one is exported, for sampling came before."""
    ids = GivenIds()
    made = TracerProvider(
        sampler=ALWAYS_ON,
        resource=Resource(
            {
                "telemetry.sdk.language": "python",
                "telemetry.sdk.name": "opentelemetry",
                **_pairs(config.resource_attributes),
                "service.name": service_name,
                "service.version": version,
            }
        ),
        id_generator=ids,
        span_limits=SpanLimits(max_links=LINKS),
        shutdown_on_exit=False,
    )
    made.add_span_processor(
        BatchSpanProcessor(
            _exporter(config),
            schedule_delay_millis=config.schedule_delay,
            max_queue_size=config.max_queue_size,
            max_export_batch_size=config.max_batch_size,
        )
    )
    _calm()
    return Spans(made, ids)


def _exporter(config: "TracingConfig") -> SpanExporter:
    if config.exporter == "console":
        return ConsoleSpanExporter(out=sys.stderr)  # stdout is the log's
    if config.exporter == "zipkin":
        from opentelemetry.exporter.zipkin.json import ZipkinExporter  # noqa: PLC0415

        return ZipkinExporter(endpoint=config.endpoint)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )

    headers = None if config.headers is None else _pairs(config.headers)
    return OTLPSpanExporter(endpoint=config.endpoint, headers=headers)


def _pairs(text: str) -> dict[str, str]:
    """Split `name=value,name=value`; values are percent-encoded (W3C Baggage)."""
    found = (part.partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): unquote(value.strip()) for name, _, value in found}


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
