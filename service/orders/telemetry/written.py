"""Spans over OTLP's HTTP, cheaply: gathered as they are, written many at once, sent by the SDK.

Only this module relies on the SDK's unpublished parts: its processor passes what it is given to a
queue that takes anything, and its exporter passes what it has written to a client that retries,
compresses and has the certificates. `is_possible` checks whether both still hold.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from orders.telemetry.otlp import Encoder
from orders.telemetry.spans import Span

_UNPUBLISHED: Final[tuple[tuple[Any, tuple[str, str]], ...]] = (
    (BatchSpanProcessor.on_end, ("_batch_processor", "emit")),
    (OTLPSpanExporter.export, ("_client", "export")),
)
"""Methods of the SDK, and what they call at their end, which is called here in their place."""


def is_possible() -> bool:
    """Whether this SDK is made so inside."""
    return all(_calls(method, names) for method, names in _UNPUBLISHED)


def _calls(method: Any, names: tuple[str, str]) -> bool:
    code = getattr(method, "__code__", None)
    return code is not None and set(names) <= set(code.co_names)


def put(processor: BatchSpanProcessor) -> Callable[[Span], None]:
    """Return what hands a span to a processor's queue."""
    emit: Callable[[Any], None] = processor._batch_processor.emit  # noqa: SLF001
    return emit


class Written(SpanExporter):
    """Exports spans that are not the SDK's."""

    def __init__(
        self, exporter: SpanExporter, resource: Resource, scope: InstrumentationScope
    ) -> None:
        self._exporter: Any = exporter
        self._encode = Encoder(resource, scope)

    def export(self, spans: Sequence[Any]) -> SpanExportResult:
        """Write spans, and send them."""
        sent = self._exporter._client.export(self._encode(spans))  # noqa: SLF001
        return SpanExportResult.SUCCESS if sent.success else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Give up what is being sent again."""
        self._exporter.shutdown()
