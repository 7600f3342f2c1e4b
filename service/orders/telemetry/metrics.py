"""The numbers of the process, and the calls that move them; `declarations` says what they mean."""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from orders import __version__
from orders.errors import Unavailable
from orders.telemetry.declarations import (
    DECLARED,
    OPERATION_LABELS,
    REQUEST_LABELS,
    SECONDS,
    SERVER_ERROR,
    SIZES,
)
from orders.telemetry.formatters import Record
from orders.telemetry.histogram import Family, Histogram
from orders.telemetry.interpreter import Collections


class Metrics:
    """The numbers of one process; nothing global."""

    def __init__(self) -> None:
        """Start at zero, and count garbage collections from now on."""
        self.requests = Family(
            "http_server_request_duration_seconds",
            "Duration of requests",
            REQUEST_LABELS,
            SECONDS,
        )
        self.operations = Family(
            "db_client_operation_duration_seconds",
            "Duration of database operations; a batch is one operation",
            OPERATION_LABELS,
            SECONDS,
        )
        self.batches = Family("orders_batch_size", "Calls in a batch", ("operation",), SIZES)
        self.lag = Family(
            "orders_event_loop_lag_seconds", "How late the event loop ran a timer", (), SECONDS
        )
        self.histograms = (self.requests, self.operations, self.batches, self.lag)
        self.counters: dict[str, defaultdict[tuple[str, ...], float]] = {
            name: defaultdict(int)
            for name, declared in DECLARED.items()
            if declared.kind == "counter"
        }
        for name in (
            "orders_created_total",
            "orders_replayed_total",
            "orders_log_lines_dropped_total",
        ):
            self.counters[name][()] = 0
        for problem in Unavailable.__subclasses__():
            self.counters["orders_shed_total"][problem.name,] = 0
        self._collections = Collections(
            self.counters["orders_gc_collections_total"],
            self.counters["orders_gc_pause_seconds_total"],
        )
        self.gauges: dict[str, Callable[[], Mapping[tuple[str, ...], float]]] = {}
        started = time.monotonic()
        python = ".".join(map(str, sys.version_info[:3]))
        self._gauge("orders_build_info", lambda: {(__version__, python): 1})
        self._gauge("orders_uptime_seconds", lambda: {(): time.monotonic() - started})
        self._queues: dict[str, Callable[[], int]] = {}
        self._gauge("orders_queue_depth", lambda: {(k,): f() for k, f in self._queues.items()})
        self._series: dict[tuple[str, str, int, str | None, str], Histogram] = {}
        self._exposition: Any = None
        self._closed: Mapping[str, int] = {}
        self._refused: Callable[[], int] = int
        self._gauge("orders_tls_certificate_expiration_timestamp_seconds", dict)
        self._changes: Callable[[], Mapping[str, int]] = dict
        self._before_scrape: Callable[[], None] = lambda: None

    def count(self, records: Iterable[Record]) -> None:
        """Record requests that ended."""
        for (
            _, method, _, route, status, seconds, trace_id, _, problem, sampled,
            _, _, _, scheme, _,
        ) in records:  # fmt: skip
            self.request(
                method, route, status, problem, seconds, trace_id if sampled else None, scheme
            )

    def request(  # noqa: PLR0913  one fact each
        self,
        method: str,
        route: str,
        status: int,
        problem: str | None,
        seconds: float,
        trace_id: str | None,
        scheme: str = "http",
    ) -> None:
        """Record one request; `problem` is the name of the error, if it was one."""
        key = (method, route, status, problem, scheme)
        series = self._series.get(key)
        if series is None:
            name, error = problem or "", ""
            if status >= SERVER_ERROR:
                error = name or str(status)
            series = self.requests.child(method, route, str(status), scheme, error, name)
            self._series[key] = series
        series.observe(seconds, trace_id)
        if status == 503 and problem is not None:  # noqa: PLR2004
            self.shed(problem)

    def batch(
        self,
        operation: str,
        size: int,
        seconds: float,
        error: str | None = None,
    ) -> None:
        """Record one batch: one operation on the database, however many calls shared it."""
        self.operations.child("postgresql", operation, error or "").observe(seconds)
        self.batches.child(operation).observe(size)

    def shed(self, problem: str) -> None:
        """Count a request refused with 503."""
        self.counters["orders_shed_total"][problem,] += 1

    def retried(self, operation: str) -> None:
        """Count a batch that is sent again."""
        self.counters["orders_batches_retried_total"][operation,] += 1

    def cold(self, method: str, route: str, requests: int) -> None:
        """Count requests that took the long way; 0 makes the series known."""
        self.counters["orders_cold_requests_total"][method, route] += requests

    def watch_authentication(self, outcomes: Iterable[str]) -> Callable[[str], None]:
        """Return what counts the outcome of a credential; these are known from now on."""
        counts = self.counters["orders_authentications_total"]
        for outcome in outcomes:
            counts[outcome,] = 0

        def count(outcome: str) -> None:
            counts[outcome,] += 1

        return count

    def replayed(self) -> None:
        """Count a create that an earlier key answered."""
        self.counters["orders_replayed_total"][()] += 1

    def created(self, orders: int) -> None:
        """Count committed orders."""
        self.counters["orders_created_total"][()] += orders

    def lines_dropped(self, lines: int) -> None:
        """Count log lines that were not written."""
        self.counters["orders_log_lines_dropped_total"][()] += lines

    def watch_queue(self, operation: str, depth: Callable[[], int]) -> None:
        """Read a queue's depth at each scrape; none of its batches was sent again so far."""
        self._queues[operation] = depth
        self.counters["orders_batches_retried_total"][operation,] = 0

    def watch_callers(
        self, found: Mapping[str, int], limits: Mapping[str, int], closed: Mapping[str, int]
    ) -> None:
        """Read the connections of callers, and those that were closed, at each scrape, by port."""
        self._gauge("orders_http_connections", lambda: {(k,): v for k, v in found.items()})
        self._gauge("orders_http_connections_limit", lambda: {(k,): v for k, v in limits.items()})
        self._closed = closed

    def watch_memory(
        self, limit: int, budget: int, held: Callable[[], int], refused: Callable[[], int]
    ) -> None:
        """Read what requests hold at each scrape, beside what they may, in bytes; and refusals."""
        self._gauge("orders_memory_limit_bytes", lambda: {(): limit})
        self._gauge("orders_memory_budget_bytes", lambda: {(): budget})
        self._gauge("orders_memory_held_bytes", lambda: {(): held()})
        self._refused = refused

    def watch_certificate(
        self, not_after: Callable[[], float], changes: Callable[[], Mapping[str, int]]
    ) -> None:
        """Read the end of the certificate in use at each scrape, and its changes by outcome."""
        name = "orders_tls_certificate_expiration_timestamp_seconds"
        self._gauge(name, lambda: {(): not_after()})
        self._changes = changes

    def watch_connections(self, by_state: Callable[[], Mapping[str, int]]) -> None:
        """Read the connections by state at each scrape."""
        self._gauge("db_client_connection_count", lambda: {(k,): v for k, v in by_state().items()})

    def watch_writes(self, by_reason: Callable[[], Mapping[str, int]]) -> None:
        """Read what blocks writes at each scrape."""
        self._gauge("orders_writes_blocked", lambda: {(k,): v for k, v in by_reason().items()})

    def watch_in_flight(self, in_flight: Callable[[], int]) -> None:
        """Read the requests in flight at each scrape."""
        self._gauge("http_server_active_requests", lambda: {(): in_flight()})

    def set_migration_version(self, version: int) -> None:
        """Note the schema version that was seen."""
        self._gauge("orders_schema_version", lambda: {(): version})

    def before_scrape(self, flush: Callable[[], None]) -> None:
        """Register a function that brings in numbers kept elsewhere before they are shown."""
        self._before_scrape = flush

    def expose(self, accept: str) -> tuple[str, bytes]:
        """Return content type and body of a scrape, as the Accept header asks."""
        self._before_scrape()
        for port, closed in self._closed.items():
            self.counters["orders_http_connections_closed_total"][port,] = closed
        self.counters["orders_memory_refused_total"][()] = self._refused()
        for outcome, changes in self._changes().items():
            self.counters["orders_tls_changes_total"][outcome,] = changes
        if self._exposition is None:
            from orders.telemetry.exposition import Exposition  # noqa: PLC0415  60 ms at a start

            self._exposition = Exposition(self)
        content_type, body = self._exposition.render(accept)
        return content_type, body

    def close(self) -> None:
        """Stop counting garbage collections."""
        self._collections.close()

    def _gauge(self, name: str, read: Callable[[], Mapping[tuple[str, ...], float]]) -> None:
        self.gauges[name] = read
