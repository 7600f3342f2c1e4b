"""Every variable, declared once: parsing, messages and the reference read this.

Those of tracing, authentication, TLS and CORS are declared in `tracing_settings`, `auth_settings`,
`server_tls` and `cors`.
"""

from typing import Final

from orders.config import parse
from orders.config.auth_settings import ACCESS, AUTH
from orders.config.cors import CORS
from orders.config.server_tls import SERVER_TLS
from orders.config.setting import TEXT, Setting
from orders.config.tls import MODES
from orders.config.tracing_settings import TRACING

_PORT: Final = parse.integer(1, 65535)
_PORT_ALLOWED: Final = "a port, 1 to 65535"

DATABASE: Final = (
    Setting(
        "url",
        ("DATABASE_URL",),
        parse.text,
        None,
        "postgresql://user:password@host:port/name, several hosts separated by commas, or psql's "
        "host=... dbname=...",
        "The database, in one line. What it leaves out is read from the names below, as psql "
        "does; but where it names a host, no other host, address or port is read.",
        "Database",
        secret=True,
    ),
    Setting(
        "host",
        ("DB_HOST", "PGHOST"),
        parse.text,
        None,
        "a host name, an address or the folder of a socket; several separated by commas",
        "Where PostgreSQL is.",
        "Database",
    ),
    Setting(
        "hostaddr",
        ("DB_HOSTADDR", "PGHOSTADDR"),
        parse.text,
        None,
        "an IP address for each host, separated by commas",
        "Where to connect to, instead of asking for the host's addresses; the host is then the "
        "name on its certificate.",
        "Database",
    ),
    Setting(
        "port",
        ("DB_PORT", "PGPORT"),
        parse.text,
        "5432",
        "a port, or one for each host, separated by commas",
        "Its port.",
        "Database",
    ),
    Setting("user", ("DB_USER", "PGUSER"), parse.text, "postgres", TEXT, "The role.", "Database"),
    Setting(
        "password",
        ("DB_PASSWORD", "PGPASSWORD"),
        parse.secret,
        None,
        "UTF-8 text without NUL",
        "The role's password.",
        "Database",
        secret=True,
    ),
    Setting(
        "name",
        ("DB_NAME", "PGDATABASE"),
        parse.text,
        None,
        TEXT,
        "The database; the role's name when it is left out.",
        "Database",
    ),
    Setting(
        "ssl_mode",
        ("DB_SSL_MODE", "PGSSLMODE"),
        parse.choice(*MODES),
        None,
        f"{', '.join(MODES)}; the last two need DB_SSL_ROOT_CERT; its `system`, the last",
        "How the connection is encrypted, as libpq does it; `prefer` when left out. "
        "[PostgreSQL](postgresql.md#tls) says what each does.",
        "Database",
    ),
    Setting(
        "ssl_root_cert",
        ("DB_SSL_ROOT_CERT", "PGSSLROOTCERT"),
        parse.text,
        None,
        "the path of a PEM file, or `system` where the system has a bundle",
        "Certificate authorities of the server, whose name is then checked too.",
        "Database",
    ),
    Setting(
        "channel_binding",
        ("DB_CHANNEL_BINDING", "PGCHANNELBINDING"),
        parse.choice("disable", "prefer", "require"),
        None,
        "disable, prefer, require",
        "Whether the password's exchange is bound to the TLS connection; `prefer` when left out.",
        "Database",
    ),
    Setting(
        "target_session_attrs",
        ("DB_TARGET_SESSION_ATTRS", "PGTARGETSESSIONATTRS"),
        parse.choice("any", "read-write", "read-only", primary="read-write"),
        "read-write",
        "any, read-write, primary (means read-write), read-only; a standby cannot take orders",
        "Which servers will do.",
        "Database",
    ),
    Setting(
        "load_balance_hosts",
        ("DB_LOAD_BALANCE_HOSTS", "PGLOADBALANCEHOSTS"),
        parse.choice("disable", "random"),
        "disable",
        "disable, random",
        "Whether several hosts are tried in random order.",
        "Database",
    ),
    Setting(
        "connect_timeout",
        ("DB_CONNECT_TIMEOUT", "PGCONNECT_TIMEOUT"),
        parse.integer(1, 60),
        2,
        "1 to 60",
        "How long one try to connect may take.",
        "Database",
        unit="s",
    ),
    Setting(
        "application_name",
        ("DB_APPLICATION_NAME", "PGAPPNAME"),
        parse.text,
        "orders",
        TEXT,
        "What its connections are called in `pg_stat_activity`; something of their own follows.",
        "Database",
    ),
    Setting(
        "options",
        ("DB_OPTIONS", "PGOPTIONS"),
        parse.text,
        None,
        TEXT,
        "Start-up options, such as `-c search_path=shop`; sent as they are.",
        "Database",
    ),
)

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

SETTINGS: Final = (
    *SERVICE, *AUTH, *ACCESS, *SERVER_TLS, *CORS, *DATABASE, *LOGS, *TRACING, *TESTS,
)  # fmt: skip
