"""Spans, made when they have ended: until then only the ids of a request are kept.

The SDK's tracer would make an object at the start, with a lock, limits and a sampler that was
already asked. Here a span is made when a request ends, of a few fields with ids as text; an
exporter's form of it is made when it is sent (`otlp.py`, `readable.py`).
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from random import getrandbits
from time import perf_counter, time_ns
from typing import Final, Literal

from msgspec import Struct

from orders.telemetry.context import TraceContext

Attributes = Mapping[str, str | int]
Kind = Literal["server", "client"]

_FLUSH_SECONDS: Final = 3.0
_NANOSECONDS: Final = 1e9


class Span(Struct, gc=False):
    """A span that has ended; ids are hexadecimal, times are nanoseconds since 1970.

    The parent of a server's span is elsewhere, at its caller; that of a client's is here.
    `tracestate` is the header as it came.
    """

    name: str
    kind: Kind
    trace_id: str
    span_id: str
    parent_id: str | None
    tracestate: str
    start: int
    end: int
    attributes: Attributes
    links: Sequence[tuple[str, str]]
    """Trace id and span id of each."""
    failed: bool


class Spans:
    """Makes spans."""

    def __init__(self, put: Callable[[Span], None], shutdown: Callable[[], None]) -> None:
        """Keep the functions that take and send spans.

        Args:
            put: takes a span, which is sent later.
            shutdown: sends what is left; returns when that is done.

        """
        self._put = put
        self._shutdown = shutdown

    def server(  # noqa: PLR0913  facts of a span
        self,
        context: TraceContext,
        name: str,
        attributes: Attributes,
        started: float,
        seconds: float,
        *,
        failed: bool,
    ) -> None:
        """Make the span of a request that has ended, the child of its caller's.

        Args:
            context: its ids.
            name: of the span.
            attributes: of the span.
            started: when it began, by perf_counter().
            seconds: how long it took.
            failed: whether it is an error.

        """
        start, end = _span_of_time(started, seconds)
        ids = context.trace_id, context.span_id, context.parent_id, context.tracestate
        self._put(Span(name, "server", *ids, start, end, attributes, (), failed))

    def batch(  # noqa: PLR0913  facts of two kinds of spans
        self,
        name: str,
        attributes: Attributes,
        shared: Attributes,
        requests: Sequence[TraceContext],
        started: float,
        seconds: float,
        *,
        failed: bool,
    ) -> None:
        """Make the spans of a batch that has ended: its own, and one in each request's trace.

        The batch serves many, so it is the child of none: it links to every request, and what each
        request has of it links to the batch.

        Args:
            name: of all of these spans.
            attributes: of the batch's span.
            shared: of those in the requests' traces.
            requests: the sampled ones in the batch.
            started: when it began, by perf_counter().
            seconds: how long it took.
            failed: whether it is an error.

        """
        start, end = _span_of_time(started, seconds)
        links = [(request.trace_id, request.span_id) for request in requests]
        batch = (f"{getrandbits(128) or 1:032x}", _new_id())
        self._put(Span(name, "client", *batch, None, "", start, end, attributes, links, failed))
        link = (batch,)
        for trace_id, parent_id in links:
            ids = trace_id, _new_id(), parent_id
            self._put(Span(name, "client", *ids, "", start, end, shared, link, failed))

    def flush(self) -> None:
        """Send what is left; a collector that does not answer is given up after three seconds."""
        thread = threading.Thread(target=self._shutdown, name="span-flush", daemon=True)
        thread.start()
        thread.join(_FLUSH_SECONDS)


def _span_of_time(started: float, seconds: float) -> tuple[int, int]:
    """Return start and end in nanoseconds since 1970, however much later this is called."""
    start = time_ns() - round((perf_counter() - started) * _NANOSECONDS)
    return start, start + round(seconds * _NANOSECONDS)


def _new_id() -> str:
    return f"{getrandbits(64) or 1:016x}"
