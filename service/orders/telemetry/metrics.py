"""Every metric, declared once, and the calls that move them.

Names and units follow OpenTelemetry's semantic conventions in Prometheus' spelling. No label has a
value that a caller can choose: routes are templates, methods and problems closed sets.
"""

import gc
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from orders import __version__
from orders.errors import Unavailable
from orders.telemetry.formatters import Record
from orders.telemetry.histogram import Family, Histogram

_SECONDS: Final = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075,
    0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
)  # fmt: skip
_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_GC_GENERATIONS: Final = 3


class Declared(NamedTuple):
    """A counter or gauge: its name, what it means, and its labels."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()


METHODS: Final = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")
)
"""The methods that are known by name (RFC 9110, RFC 5789)."""
OTHER_METHOD: Final = "_OTHER"
UNMATCHED: Final = "unmatched"
"""The route of a path that no endpoint has."""
SERVER_ERROR: Final = 500
"""From here on a status is an error of the service (Semantic Conventions for HTTP)."""
REQUEST_LABELS: Final = (
    "http_request_method", "http_route", "http_response_status_code", "url_scheme", "error_type",
    "problem",
)  # fmt: skip
OPERATION_LABELS: Final = ("db_system_name", "db_operation_name", "error_type")

DECLARED: Final = {
    name: Declared(name, kind, text, labels)
    for name, kind, text, labels in (
        ("http_server_active_requests", "gauge", "Requests in flight", ()),
        ("orders_http_connections", "gauge", "Connections of callers", ("port",)),
        (
            "orders_http_connections_limit",
            "gauge",
            "The most connections of callers that are accepted",
            ("port",),
        ),
        (
            "orders_http_connections_closed_total",
            "counter",
            "Idle connections closed because there were too many",
            ("port",),
        ),
        ("orders_memory_limit_bytes", "gauge", "Memory that the process may use", ()),
        ("orders_memory_budget_bytes", "gauge", "Memory that requests may hold", ()),
        ("orders_memory_held_bytes", "gauge", "Memory that requests hold", ()),
        ("orders_memory_refused_total", "counter", "Requests refused for lack of memory", ()),
        (
            "orders_tls_certificate_expiration_timestamp_seconds",
            "gauge",
            "Expiry of the certificate in use, since 1970; absent without TLS",
            (),
        ),
        (
            "orders_tls_changes_total",
            "counter",
            "Changes of the TLS files, taken in place or refused; absent without TLS",
            ("outcome",),
        ),
        ("db_client_connection_count", "gauge", "Connections to PostgreSQL", ("state",)),
        ("orders_writes_blocked", "gauge", "1 for the reason that blocks writes", ("reason",)),
        ("orders_queue_depth", "gauge", "Calls waiting for a batch", ("operation",)),
        ("orders_shed_total", "counter", "Requests refused with 503", ("problem",)),
        ("orders_batches_retried_total", "counter", "Batches sent again", ("operation",)),
        (
            "orders_authentications_total",
            "counter",
            "Authentications of requests, by outcome",
            ("outcome",),
        ),
        (
            "orders_cold_requests_total",
            "counter",
            "Requests on the cold path; creates and reads of one order can avoid it",
            ("http_request_method", "http_route"),
        ),
        ("orders_replayed_total", "counter", "Creates that repeated an earlier one", ()),
        ("orders_created_total", "counter", "Orders committed", ()),
        ("orders_schema_version", "gauge", "Last migration applied to the database", ()),
        ("orders_build_info", "gauge", "1, labelled by versions", ("version", "python")),
        (
            "orders_log_lines_dropped_total",
            "counter",
            "Lines dropped while stdout was blocked",
            (),
        ),
        ("orders_gc_collections_total", "counter", "Garbage collections", ("generation",)),
        (
            "orders_gc_pause_seconds_total",
            "counter",
            "Time in garbage collection",
            ("generation",),
        ),
        ("orders_uptime_seconds", "gauge", "Time since the start", ()),
    )
}


class Metrics:
    """The numbers of one process; nothing global."""

    def __init__(self) -> None:
        """Start at zero, and count garbage collections from now on."""
        self.requests = Family(
            "http_server_request_duration_seconds",
            "Duration of requests",
            REQUEST_LABELS,
            _SECONDS,
        )
        self.operations = Family(
            "db_client_operation_duration_seconds",
            "Duration of database operations; a batch is one operation",
            OPERATION_LABELS,
            _SECONDS,
        )
        self.batches = Family("orders_batch_size", "Calls in a batch", ("operation",), _SIZES)
        self.lag = Family(
            "orders_event_loop_lag_seconds", "How late the event loop ran a timer", (), _SECONDS
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
        for generation in range(_GC_GENERATIONS):  # a collection may fall into a scrape
            self.counters["orders_gc_collections_total"][str(generation),] = 0
            self.counters["orders_gc_pause_seconds_total"][str(generation),] = 0
        self.gauges: dict[str, Callable[[], Mapping[tuple[str, ...], float]]] = {}
        started = time.monotonic()
        python = ".".join(map(str, sys.version_info[:3]))
        self._gauge("orders_build_info", lambda: {(__version__, python): 1})
        self._gauge("orders_uptime_seconds", lambda: {(): time.monotonic() - started})
        self._queues: dict[str, Callable[[], int]] = {}
        self._gauge("orders_queue_depth", lambda: {(k,): f() for k, f in self._queues.items()})
        self._series: dict[tuple[str, str, int, str | None, str], Histogram] = {}
        self._collection_started = 0.0
        self._exposition: Any = None
        self._closed: Mapping[str, int] = {}
        self._refused: Callable[[], int] = int
        self._gauge("orders_tls_certificate_expiration_timestamp_seconds", dict)
        self._changes: Callable[[], Mapping[str, int]] = dict
        self._before_scrape: Callable[[], None] = lambda: None
        gc.callbacks.append(self._collected)

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
        if self._exposition is None:  # 60 ms of imports that a start need not wait for
            from orders.telemetry.exposition import Exposition  # noqa: PLC0415

            self._exposition = Exposition(self)
        content_type, body = self._exposition.render(accept)
        return content_type, body

    def close(self) -> None:
        """Stop counting garbage collections."""
        gc.callbacks.remove(self._collected)

    def _gauge(self, name: str, read: Callable[[], Mapping[tuple[str, ...], float]]) -> None:
        self.gauges[name] = read

    def _collected(self, phase: str, info: Mapping[str, int]) -> None:
        if phase == "start":
            self._collection_started = time.perf_counter()
            return
        generation = (str(info["generation"]),)
        self.counters["orders_gc_collections_total"][generation] += 1
        pause = time.perf_counter() - self._collection_started
        self.counters["orders_gc_pause_seconds_total"][generation] += pause
