"""Turns spans into the SDK's own, for the exporters that take only those."""

from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

from orders.telemetry.spans import Span

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_KINDS: Final = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT}
_FINE: Final = Status(StatusCode.UNSET)
_FAILED: Final = Status(StatusCode.ERROR)


class Readable:
    """Makes the SDK's spans from those of one service."""

    def __init__(self, resource: Resource, scope: InstrumentationScope) -> None:
        self._resource = resource
        self._scope = scope

    def __call__(self, span: Span) -> ReadableSpan:
        """Return the SDK's form of a span."""
        state = state_of(span.tracestate)
        parent = None
        if span.parent_id is not None:
            is_remote = span.kind == "server"
            parent = _context(span.trace_id, span.parent_id, state, is_remote=is_remote)
        return ReadableSpan(
            name=span.name,
            context=_context(span.trace_id, span.span_id, state),
            parent=parent,
            resource=self._resource,
            attributes=span.attributes,
            links=[Link(_context(trace_id, span_id)) for trace_id, span_id in span.links],
            kind=_KINDS[span.kind],
            status=_FAILED if span.failed else _FINE,
            start_time=span.start,
            end_time=span.end,
            instrumentation_scope=self._scope,
        )


def state_of(header: str) -> TraceState | None:
    """Read a header of W3C Trace Context: None if there is none, empty if it is malformed."""
    return TraceState.from_header([header]) if header else None


def _context(
    trace_id: str, span_id: str, state: TraceState | None = None, *, is_remote: bool = False
) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote, _SAMPLED, state)
