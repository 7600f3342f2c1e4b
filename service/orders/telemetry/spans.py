"""The SDK's spans with our ids: a request has ids before it is known whether it is recorded."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

from orders.telemetry.context import TraceContext

_FLUSH_SECONDS: Final = 3.0


class GivenIds(IdGenerator):
    """Hands out the ids of the request at hand, and random ones otherwise."""

    def __init__(self) -> None:
        """Start with none."""
        self._random = RandomIdGenerator()
        self.given: TraceContext | None = None

    def generate_trace_id(self) -> int:
        """Return the request's trace id, or a new one."""
        return (
            self._random.generate_trace_id()
            if self.given is None
            else int(self.given.trace_id, 16)
        )

    def generate_span_id(self) -> int:
        """Return the request's span id, or a new one."""
        return (
            self._random.generate_span_id() if self.given is None else int(self.given.span_id, 16)
        )


class Spans:
    """Starts spans of a provider."""

    def __init__(self, provider: TracerProvider, ids: GivenIds) -> None:
        """Take its tracer, and its ids from `ids`."""
        self._provider = provider
        self._ids = ids
        self._tracer = provider.get_tracer("orders")

    def server(self, context: TraceContext, name: str, attributes: Mapping[str, Any]) -> Span:
        """Start the span of a request, the child of its caller's."""
        parent = Context()
        if context.parent_id is not None:
            caller = SpanContext(
                int(context.trace_id, 16),
                int(context.parent_id, 16),
                is_remote=True,
                trace_flags=TraceFlags(TraceFlags.SAMPLED),
                trace_state=TraceState.from_header([context.tracestate]),
            )
            parent = trace.set_span_in_context(trace.NonRecordingSpan(caller), parent)
        self._ids.given = context
        try:
            return self._start(name, parent, SpanKind.SERVER, attributes)
        finally:
            self._ids.given = None

    def batch(
        self, name: str, attributes: Mapping[str, Any], links: Sequence[TraceContext]
    ) -> Span:
        """Start the span of a batch, a trace of its own that links to the requests."""
        linked = [
            Link(
                SpanContext(
                    int(context.trace_id, 16),
                    int(context.span_id, 16),
                    is_remote=False,
                    trace_flags=TraceFlags(TraceFlags.SAMPLED),
                )
            )
            for context in links
        ]
        return self._start(name, Context(), SpanKind.CLIENT, attributes, linked)

    def fail(self, span: Span, why: str) -> None:
        """Mark a span as failed."""
        span.set_status(Status(StatusCode.ERROR, why))

    def flush(self) -> None:
        """Send what is left; a collector that does not answer is given up after three seconds."""
        thread = threading.Thread(target=self._provider.shutdown, name="span-flush", daemon=True)
        thread.start()
        thread.join(_FLUSH_SECONDS)

    def _start(
        self,
        name: str,
        parent: Context,
        kind: SpanKind,
        attributes: Mapping[str, Any],
        links: Sequence[Link] = (),
    ) -> Span:
        return self._tracer.start_span(
            name, context=parent, kind=kind, attributes=attributes, links=links
        )
