"""What is recorded of each request: two calls around it, a few microseconds in all.

The histogram is a list of counts, the access line a tuple; formatting and writing happen later, a
batch at a time.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from orders.telemetry.context import TraceContext, continued, current, fresh
from orders.telemetry.metrics import METHODS, OTHER_METHOD

if TYPE_CHECKING:
    from orders.telemetry.logs import LogWriter
    from orders.telemetry.metrics import Metrics
    from orders.telemetry.tracing import Tracing


class Requests:
    """Records requests in metrics, the access log and traces."""

    def __init__(self, metrics: "Metrics", tracing: "Tracing", writer: "LogWriter") -> None:
        """Keep where records go."""
        self.in_flight = 0
        self._tracing = tracing
        self._tracing_on = tracing.exporting
        self._observe = metrics.request
        self._access = writer.access
        self._idle: asyncio.Event | None = None
        metrics.watch_in_flight(lambda: self.in_flight)

    def begin(
        self, method: str, route: str, path: str, headers: Mapping[bytes, bytes]
    ) -> TraceContext:
        """Return the request's trace context, which is `current` from now on."""
        self.in_flight += 1
        traceparent = headers.get(b"traceparent")
        if traceparent is None:
            context = fresh()
        else:
            context = continued(traceparent, headers.get(b"tracestate", b""))
        if self._tracing_on and self._tracing.sampled(
            int(context.trace_id, 16), context.parent_sampled
        ):
            context.sampled = True
            self._tracing.start_server_span(context, method, route, path)
        current.set(context)
        return context

    def end(  # noqa: PLR0913  one fact each
        self,
        context: TraceContext,
        method: str,
        route: str,
        path: str,
        status: int,
        started: float,
        problem: str | None = None,
    ) -> None:
        """Record the answer; `started` is of time.perf_counter()."""
        seconds = time.perf_counter() - started
        if method not in METHODS:
            method = OTHER_METHOD
        sampled = context.sampled
        self._observe(
            method, route, status, problem, seconds, context.trace_id if sampled else None
        )
        self._access(
            (
                time.time(),
                method,
                path,
                route,
                status,
                seconds,
                context.trace_id,
                context.span_id,
                problem,
            )
        )
        if sampled:
            self._tracing.end_server_span(context, status, problem)
        self.in_flight -= 1
        if self._idle is not None and self.in_flight == 0:
            self._idle.set()

    async def idle(self) -> None:
        """Return when no request is in flight."""
        while self.in_flight:
            self._idle = asyncio.Event()
            await self._idle.wait()
