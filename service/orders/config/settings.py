"""The settings of the service, its logs and its tests.

Those of the database, authentication, TLS and CORS are declared in `database_settings`,
`auth_settings`, `server_tls` and `cors`; those of tracing in `orders_common`.
"""

from typing import Final

from orders.config.plugins import faults, plugins
from orders_common import parse
from orders_common.settings import Setting
from orders_common.tracing_settings import tracing_settings

_PORT: Final = parse.integer(1, 65535)
_PORT_ALLOWED: Final = "a port, 1 to 65535"

SERVICE: Final = (
    Setting(
        "http_host",
        ("HTTP_HOST",),
        parse.address,
        "::",
        "an IP address, such as 127.0.0.1, 0.0.0.0 or ::",
        "The address that both ports listen on; :: means every address, IPv4 included.",
        "Service",
    ),
    Setting(
        "http_port", ("HTTP_PORT",), _PORT, 8000, _PORT_ALLOWED, "The port of the API.", "Service"
    ),
    Setting(
        "metrics_port",
        ("METRICS_PORT",),
        _PORT,
        2121,
        _PORT_ALLOWED,
        "The port of metrics and health checks.",
        "Service",
    ),
    Setting(
        "request_timeout",
        ("REQUEST_TIMEOUT",),
        parse.duration(0.01, 600),
        5.0,
        "a duration, 10ms to 10m",
        "How long a request may take, from the end of its head and including its body. After "
        "that, the answer is 503, or 408 if the body has not arrived.",
        "Service",
        unit="s",
    ),
    Setting(
        "http_keep_alive_timeout",
        ("HTTP_KEEP_ALIVE_TIMEOUT",),
        parse.duration(1, 3600),
        75.0,
        "a duration, 1s to 1h",
        "How long a connection may be idle, or take to send the head of a request, before it is "
        "closed. It should be longer than that of the load balancer, which is usually 60 s.",
        "Service",
        unit="s",
    ),
    Setting(
        "queue_limit",
        ("QUEUE_LIMIT",),
        parse.integer(1, 1_000_000),
        8192,
        "1 to 1000000",
        "How many requests of each kind may wait for a batch, but never more than the number of "
        "connections that are accepted. Further ones are answered with 503 at once.",
        "Service",
    ),
    Setting(
        "batch_limit",
        ("BATCH_LIMIT",),
        parse.integer(1, 10_000),
        256,
        "1 to 10000",
        "How many requests one batch may hold.",
        "Service",
    ),
    Setting(
        "memory_limit",
        ("MEMORY_LIMIT",),
        parse.size(64 * 1024**2, 1024**4),
        None,
        "bytes, or a number with Ki, Mi, Gi, k, M or G; 64Mi to 1Ti",
        "How much memory the process may use; requests that need more are answered with 503 at "
        "once. When left out, 90 % of the container's limit, or of the machine's memory.",
        "Service",
    ),
    Setting(
        "shutdown_delay",
        ("SHUTDOWN_DELAY",),
        parse.duration(0, 600),
        5.0,
        "a duration, 0 to 10m",
        "How long requests are still served after SIGTERM, while readiness already fails.",
        "Service",
        unit="s",
    ),
    Setting(
        "shutdown_grace_period",
        ("SHUTDOWN_GRACE_PERIOD",),
        parse.duration(0, 3600),
        30.0,
        "a duration, 0 to 1h",
        "How long requests in flight may take to finish after that.",
        "Service",
        unit="s",
    ),
    Setting(
        "plugins",
        ("ORDERS_PLUGINS",),
        plugins,
        None,
        "module:function, or the name of an entry point of `orders.plugins`; several separated by "
        "commas",
        "Functions that add hooks around every request, as docs/make-it-yours.md shows.",
        "Service",
    ),
)

LOGS: Final = (
    Setting(
        "log_level",
        ("LOG_LEVEL",),
        parse.choice(
            "DEBUG", "INFO", "WARNING", "ERROR", warn="WARNING", notice="INFO", fatal="ERROR"
        ),
        "INFO",
        "DEBUG, INFO, NOTICE, WARN, WARNING, ERROR, FATAL",
        "The lowest level that is logged; WARNING and above switch the access log off.",
        "Logs",
    ),
    Setting(
        "log_level_file",
        ("LOG_LEVEL_FILE",),
        parse.text,
        None,
        "the path of a file",
        "A file whose content replaces LOG_LEVEL, without a restart.",
        "Logs",
    ),
    Setting(
        "log_format",
        ("LOG_FORMAT",),
        parse.choice("auto", "json", "text"),
        "auto",
        "auto, json, text",
        "`auto` means text on a terminal and JSON elsewhere.",
        "Logs",
    ),
)

TRACING: Final = tracing_settings("orders-service", service_name="orders", recorded="requests")

TESTS: Final = (
    Setting(
        "faults",
        ("FAULTS",),
        faults,
        None,
        "what the test module orders_faults accepts; no release contains that module",
        "Makes orders fail or be late on purpose.",
        "Tests",
    ),
)
