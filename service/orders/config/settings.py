"""What a setting declares, and the settings of the service, its logs and its tests.

Each is declared once: parsing, messages and the reference read it. Those of the database, tracing,
authentication, TLS and CORS are declared in `database_settings`, `tracing_settings`,
`auth_settings`, `server_tls` and `cors`.
"""

from typing import Any, Final

from msgspec import Struct

from orders.config import parse
from orders.config.parse import Parser

TEXT: Final = "text without control characters"
"""What `parse.text` allows."""


class Setting(Struct, frozen=True):
    """One setting and the variables it is read from.

    `names` are tried in order. A secret may also be given as the path of a file, in `<NAME>_FILE`.
    """

    field: str
    names: tuple[str, ...]
    parse: Parser
    default: Any
    allowed: str
    about: str
    group: str
    unit: str = ""
    secret: bool = False


_PORT: Final = parse.integer(1, 65535)
_PORT_ALLOWED: Final = "a port, 1 to 65535"

SERVICE: Final = (
    Setting(
        "http_host",
        ("HTTP_HOST",),
        parse.address,
        "::",
        "an IP address, such as 127.0.0.1, 0.0.0.0 or ::",
        "Address both ports listen on; :: is every address, of IPv4 too.",
        "Service",
    ),
    Setting(
        "http_port", ("HTTP_PORT",), _PORT, 8000, _PORT_ALLOWED, "Port of the API.", "Service"
    ),
    Setting(
        "metrics_port",
        ("METRICS_PORT",),
        _PORT,
        2121,
        _PORT_ALLOWED,
        "Port of metrics and health.",
        "Service",
    ),
    Setting(
        "request_timeout",
        ("REQUEST_TIMEOUT",),
        parse.duration(0.01, 600),
        5.0,
        "a duration, 10ms to 10m",
        "How long a request may take from the end of its head, body included; then it is answered "
        "503, or 408 while its body is missing.",
        "Service",
        unit="s",
    ),
    Setting(
        "http_keep_alive_timeout",
        ("HTTP_KEEP_ALIVE_TIMEOUT",),
        parse.duration(1, 3600),
        75.0,
        "a duration, 1s to 1h",
        "How long a connection may be idle, or take to send the head of a request; then it is "
        "closed. Longer than load balancers keep theirs, which is 60 s with most.",
        "Service",
        unit="s",
    ),
    Setting(
        "queue_limit",
        ("QUEUE_LIMIT",),
        parse.integer(1, 1_000_000),
        8192,
        "1 to 1000000",
        "How many requests of a kind may wait for a batch, but no more than connections are "
        "accepted; more are answered 503 at once.",
        "Service",
    ),
    Setting(
        "batch_limit",
        ("BATCH_LIMIT",),
        parse.integer(1, 10_000),
        256,
        "1 to 10000",
        "How many requests one batch may have.",
        "Service",
    ),
    Setting(
        "memory_limit",
        ("MEMORY_LIMIT",),
        parse.size(64 * 1024**2, 1024**4),
        None,
        "bytes, or a number with Ki, Mi, Gi, k, M or G; 64Mi to 1Ti",
        "What the process may have of memory; requests for which there is none are answered 503 "
        "at once. When left out, 90 % of the container's limit, or of the machine's memory.",
        "Service",
    ),
    Setting(
        "shutdown_delay",
        ("SHUTDOWN_DELAY",),
        parse.duration(0, 600),
        5.0,
        "a duration, 0 to 10m",
        "How long requests are still served after SIGTERM, while readiness fails.",
        "Service",
        unit="s",
    ),
    Setting(
        "shutdown_grace_period",
        ("SHUTDOWN_GRACE_PERIOD",),
        parse.duration(0, 3600),
        30.0,
        "a duration, 0 to 1h",
        "How long requests in flight may then take to finish.",
        "Service",
        unit="s",
    ),
    Setting(
        "plugins",
        ("ORDERS_PLUGINS",),
        parse.plugins,
        None,
        "module:function, or the name of an entry point of `orders.plugins`; several separated by "
        "commas",
        "Functions that add hooks around every request: docs/make-it-yours.md.",
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
        "What is logged; WARNING and above leave out the access log.",
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
        "`auto` is text on a terminal, else JSON.",
        "Logs",
    ),
)

TESTS: Final = (
    Setting(
        "faults",
        ("FAULTS",),
        parse.faults,
        None,
        "what the module orders_faults of the tests takes; no release has that module",
        "Has orders fail or be late on purpose.",
        "Tests",
    ),
)
