"""Every counter and gauge, declared once, and the closed sets that labels take their values from.

Names and units follow OpenTelemetry's semantic conventions in Prometheus' spelling. No label has a
value that a caller can choose: routes are templates, methods and problems closed sets.
"""

from typing import Final, NamedTuple

SECONDS: Final = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075,
    0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
)  # fmt: skip
"""Upper bounds of the buckets of durations."""
SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""The same of batches."""


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
            "Requests on the cold path; creates, reads by id and hot endpoints can avoid it",
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
