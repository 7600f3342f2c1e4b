"""Spans by the OpenTelemetry SDK, and the configured exporter.

If the collector is away, that costs spans and one log line a minute, but never a reconcile.
"""

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import SpanKind, Status, StatusCode, format_span_id, format_trace_id

from orders_common.parse import split_pairs
from orders_operator.telemetry.context import TraceContext

if TYPE_CHECKING:
    from orders_common.tracing import TracingConfig

_FLUSH_SECONDS: Final = 2.0
_QUIET_SECONDS: Final = 60.0
_PARENT_BASED: Final = "parentbased_"


class Spans:
    """Records spans with one provider."""

    def __init__(self, settings: "TracingConfig", version: str) -> None:
        """Make the provider and its exporter."""
        resource = Resource(
            {
                "telemetry.sdk.language": "python",
                "telemetry.sdk.name": "opentelemetry",
                "service.version": version,
                **settings.resource_attributes,
                "service.name": settings.service_name,
            }
        )
        self._provider = TracerProvider(
            sampler=_sampler(settings.sampler, settings.ratio),
            resource=resource,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                _exporter(settings),
                schedule_delay_millis=settings.schedule_delay,
                max_queue_size=settings.max_queue_size,
                max_export_batch_size=settings.max_batch_size,
            )
        )
        _calm()
        self._tracer = self._provider.get_tracer("orders_operator")

    @contextmanager
    def reconcile(self, namespace: str, name: str) -> Iterator[TraceContext]:
        """Record one reconcile as a trace of its own."""
        span = self._tracer.start_span(
            "reconcile OrderService",
            kind=SpanKind.INTERNAL,
            attributes={"k8s.namespace.name": namespace, "orders.orderservice.name": name},
        )
        ids = span.get_span_context()
        try:
            yield TraceContext(
                format_trace_id(ids.trace_id), format_span_id(ids.span_id), namespace, name
            )
        except Exception as error:
            kind = str(getattr(error, "reason", type(error).__name__))
            span.set_attribute("error.type", kind)
            span.set_status(Status(StatusCode.ERROR, kind))
            raise
        finally:
            span.end()

    def flush(self) -> None:
        """Send the remaining spans; give up after two seconds if the collector does not answer."""
        thread = threading.Thread(target=self._provider.shutdown, name="span-flush", daemon=True)
        thread.start()
        thread.join(_FLUSH_SECONDS)


def _sampler(name: str, ratio: float) -> Sampler:
    root: Sampler = {"always_on": ALWAYS_ON, "always_off": ALWAYS_OFF}.get(
        name.removeprefix(_PARENT_BASED)
    ) or TraceIdRatioBased(ratio)
    return ParentBased(root) if name.startswith(_PARENT_BASED) else root


def _exporter(settings: "TracingConfig") -> SpanExporter:
    if settings.exporter == "console":
        return ConsoleSpanExporter(out=sys.stderr)  # stdout is for the log
    if settings.exporter == "zipkin":
        from opentelemetry.exporter.zipkin.json import ZipkinExporter  # noqa: PLC0415  only if chosen

        return ZipkinExporter(endpoint=settings.endpoint)
    headers = None if settings.headers is None else split_pairs(settings.headers)
    if settings.protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import (  # noqa: PLC0415  only if chosen
            trace_exporter as grpc,
        )

        # gRPC takes names in lower case alone.
        lower = None if headers is None else {k.lower(): v for k, v in headers.items()}
        return grpc.OTLPSpanExporter(endpoint=settings.endpoint, headers=lower)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415  only if chosen
        OTLPSpanExporter,
    )

    return OTLPSpanExporter(endpoint=settings.endpoint, headers=headers)


class _Calm(logging.Filter):
    """Passes one warning or error a minute, of all the loggers that share it."""

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
    """Filter the loggers of the SDK and its exporter, which report one failure in several lines.

    A logger's filter does not apply to the loggers below it, so all of them must exist by now,
    including the exporter's.
    """
    calm = _Calm()
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("opentelemetry"):
            logging.getLogger(name).addFilter(calm)
