"""The variables of the database's connection: libpq's names come second."""

from typing import Final

from orders.config.tls import MODES
from orders_common import parse
from orders_common.settings import TEXT, Setting

DATABASE: Final = (
    Setting(
        "url",
        ("DATABASE_URL",),
        parse.text,
        None,
        "postgresql://user:password@host:port/name, several hosts separated by commas, or psql's "
        "host=... dbname=...",
        "The database, in one line. What it leaves out is read from the variables below, as psql "
        "does; but if it names a host, no other host, address or port is read.",
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
        "Where to connect, instead of looking up the host's addresses. The host is then only the "
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
    Setting(
        "user",
        ("DB_USER", "PGUSER"),
        parse.text,
        "postgres",
        TEXT,
        "The role to log in as.",
        "Database",
    ),
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
        "The database. When left out, the one named like the role.",
        "Database",
    ),
    Setting(
        "ssl_mode",
        ("DB_SSL_MODE", "PGSSLMODE"),
        parse.choice(*MODES),
        None,
        f"{', '.join(MODES)}; the last two need DB_SSL_ROOT_CERT, and `system` there allows only "
        "the last",
        "How the connection is encrypted, as in libpq; `prefer` when left out. "
        "[PostgreSQL](postgresql.md#tls) describes each mode.",
        "Database",
    ),
    Setting(
        "ssl_root_cert",
        ("DB_SSL_ROOT_CERT", "PGSSLROOTCERT"),
        parse.text,
        None,
        "the path of a PEM file, or `system` where the system has a bundle",
        "The authorities trusted to sign the server's certificate. With them, the server's name "
        "is checked too.",
        "Database",
    ),
    Setting(
        "channel_binding",
        ("DB_CHANNEL_BINDING", "PGCHANNELBINDING"),
        parse.choice("disable", "prefer", "require"),
        None,
        "disable, prefer, require",
        "Whether the password exchange is bound to the TLS connection; `prefer` when left out.",
        "Database",
    ),
    Setting(
        "target_session_attrs",
        ("DB_TARGET_SESSION_ATTRS", "PGTARGETSESSIONATTRS"),
        parse.choice("any", "read-write", "read-only", primary="read-write"),
        "read-write",
        "any, read-write, primary (means read-write), read-only; a standby cannot take orders",
        "Which kind of server to accept.",
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
        parse.whole_seconds(1, 60),
        2,
        "a duration of whole seconds, 1s to 60s",
        "How long one attempt to connect may take.",
        "Database",
        unit="s",
    ),
    Setting(
        "application_name",
        ("DB_APPLICATION_NAME", "PGAPPNAME"),
        parse.text,
        "orders",
        TEXT,
        "The name of its connections in `pg_stat_activity`; each adds a suffix of its own.",
        "Database",
    ),
    Setting(
        "options",
        ("DB_OPTIONS", "PGOPTIONS"),
        parse.text,
        None,
        TEXT,
        "Start-up options, such as `-c search_path=shop`, sent unchanged.",
        "Database",
    ),
)
