"""Spans, made whole when they have ended: nothing is kept of a request but its ids until then.

The SDK's tracer would make an object at the start, with a lock, limits and a sampler that was
asked already; that is seven times the cost of the span itself. So these are the SDK's
`ReadableSpan`s, handed to its processor, which gathers and exports them.
"""

import threading
from collections.abc import Mapping, Sequence
from random import getrandbits
from time import time_ns
from typing import Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

from orders.telemetry.context import TraceContext

_FLUSH_SECONDS: Final = 3.0
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_FINE: Final = Status(StatusCode.UNSET)
_FAILED: Final = Status(StatusCode.ERROR)
_NANOSECONDS: Final = 1e9
_LONGEST_STATE: Final = 512
"""Characters of a tracestate that are kept; more need not be (Trace Context, 3.3.1.5)."""


class Spans:
    """Makes spans of one service."""

    def __init__(self, processor: BatchSpanProcessor, resource: Resource, version: str) -> None:
        """Keep where they go, and whose they are."""
        self._processor = processor
        self._resource = resource
        self._scope = InstrumentationScope("orders", version)

    def server(
        self,
        context: TraceContext,
        name: str,
        attributes: Mapping[str, Any],
        seconds: float,
        *,
        failed: bool,
    ) -> None:
        """Make the span of a request that ends now, the child of its caller's."""
        state = None
        if 0 < len(context.tracestate) <= _LONGEST_STATE:
            state = TraceState.from_header([context.tracestate])
        own = _context(int(context.trace_id, 16), int(context.span_id, 16), state)
        parent = None
        if context.parent_id is not None:
            parent = SpanContext(
                own.trace_id, int(context.parent_id, 16), is_remote=True,
                trace_flags=_SAMPLED, trace_state=state,
            )  # fmt: skip
        self._end(name, own, parent, SpanKind.SERVER, attributes, (), failed, seconds)

    def batch(  # noqa: PLR0913  facts of two kinds of spans
        self,
        name: str,
        attributes: Mapping[str, Any],
        shared: Mapping[str, Any],
        requests: Sequence[TraceContext],
        seconds: float,
        *,
        failed: bool,
    ) -> None:
        """
        Make the spans of a batch that ends now: one of its own, and one in each request's trace.

        The batch serves many, so it is the child of none: it links to every request, and what each
        request has of it links to the batch.

        Args:
            name: of all of these spans.
            attributes: of the batch's span.
            shared: of those in the requests' traces.
            requests: the sampled ones in the batch.
            seconds: how long it took.
            failed: whether it is an error.

        """
        parents = [_context(int(r.trace_id, 16), int(r.span_id, 16)) for r in requests]
        batch = _context(getrandbits(128) or 1, _new_id())
        links = [Link(parent) for parent in parents]
        self._end(name, batch, None, SpanKind.CLIENT, attributes, links, failed, seconds)
        link = (Link(batch),)
        for parent in parents:
            own = _context(parent.trace_id, _new_id())
            self._end(name, own, parent, SpanKind.CLIENT, shared, link, failed, seconds)

    def flush(self) -> None:
        """Send what is left; a collector that does not answer is given up after three seconds."""
        thread = threading.Thread(target=self._processor.shutdown, name="span-flush", daemon=True)
        thread.start()
        thread.join(_FLUSH_SECONDS)

    def _end(  # noqa: PLR0913  facts of a span
        self,
        name: str,
        own: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        attributes: Mapping[str, Any],
        links: Sequence[Link],
        failed: bool,  # noqa: FBT001
        seconds: float,
    ) -> None:
        now = time_ns()
        self._processor.on_end(
            ReadableSpan(
                name=name,
                context=own,
                parent=parent,
                resource=self._resource,
                attributes=attributes,
                links=links,
                kind=kind,
                status=_FAILED if failed else _FINE,
                start_time=now - round(seconds * _NANOSECONDS),
                end_time=now,
                instrumentation_scope=self._scope,
            )
        )


def _context(trace_id: int, span_id: int, state: TraceState | None = None) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=_SAMPLED, trace_state=state)


def _new_id() -> int:
    return getrandbits(64) or 1
