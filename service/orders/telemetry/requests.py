"""Records each request: its trace at once, everything else in a pass over many.

A request leaves one tuple when it ends. Every few milliseconds a pass counts the requests that
have ended, observes their durations and writes their lines; a scrape and the end of the process
make one too. A process that is killed loses only the requests that ended since the last pass.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from orders.telemetry import caller
from orders.telemetry.caller import FORWARDED, FORWARDED_FOR, FORWARDED_PROTO
from orders.telemetry.context import TraceContext, continued, fresh
from orders.telemetry.declarations import METHODS, OTHER_METHOD

if TYPE_CHECKING:
    from orders.telemetry.logs import LogWriter
    from orders.telemetry.metrics import Metrics
    from orders.telemetry.tracing import Tracing

PASS_SECONDS: Final = 0.01
"""How long what ended may wait for others."""


class Requests:
    """Records requests in metrics, the access log and traces."""

    def __init__(
        self, metrics: "Metrics", tracing: "Tracing", writer: "LogWriter", scheme: str = "http"
    ) -> None:
        """Keep where records go, and the scheme of the API's own URLs."""
        self.in_flight = 0
        self._scheme = scheme
        self._tracing = tracing
        self._tracing_on = tracing.exporting
        self._metrics = metrics
        self._writer = writer
        self._ended: list[Any] = []
        self._timer: asyncio.TimerHandle | None = None
        self._idle: asyncio.Event | None = None
        metrics.watch_in_flight(lambda: self.in_flight)
        metrics.before_scrape(self.record)

    def begin(
        self, headers: Mapping[str, str], connection: str, query: str = "", version: str = "1.1"
    ) -> TraceContext:
        """Return the trace context of a request that begins.

        Args:
            headers: those of the request, by names in lower case.
            connection: ADDRESS:PORT of the caller's end.
            query: of its URL.
            version: of HTTP, as the server says it.

        """
        self.in_flight += 1
        traceparent = headers.get("traceparent")
        context = (
            fresh()
            if traceparent is None
            else continued(traceparent, headers.get("tracestate", ""))
        )
        context.connection, context.headers, context.query = connection, headers, query
        if self._tracing_on and self._tracing.sampled(context.trace_id, context.parent_sampled):
            context.sampled, context.version = True, version
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
        """Keep one tuple for the next pass; `started` is of time.perf_counter()."""
        seconds = time.perf_counter() - started
        headers = context.headers
        proxied, scheme = None, self._scheme
        if FORWARDED_FOR in headers or FORWARDED in headers or FORWARDED_PROTO in headers:
            proxied, scheme = caller.forwarded(headers), caller.scheme(headers, scheme)
        if context.sampled:
            self._tracing.request(
                context, method, route, path, status, started, seconds, problem,
                proxied=proxied, scheme=scheme,
            )  # fmt: skip
        if method not in METHODS:
            method = OTHER_METHOD
        self._ended.append(  # the fields of `formatters.Record`
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
                context.sampled,
                context.connection,
                proxied,
                headers.get("user-agent"),
                scheme,
                context.subject,
            )
        )
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PASS_SECONDS, self.record)
        self.in_flight -= 1
        if self._idle is not None and self.in_flight == 0:
            self._idle.set()

    def cold(self, method: str, route: str, requests: int = 1) -> None:
        """Count requests that took the long way; 0 makes the series known."""
        self._metrics.cold(method if method in METHODS else OTHER_METHOD, route, requests)

    def record(self) -> None:
        """Record what has ended by now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        records, self._ended = self._ended, []
        if records:
            self._metrics.count(records)
            self._writer.access(records)

    async def idle(self) -> None:
        """Return when no request is in flight."""
        while self.in_flight:
            self._idle = asyncio.Event()
            await self._idle.wait()
