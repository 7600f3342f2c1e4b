"""Every connection parameter of libpq, and what this service does with it.

The table drives the parser of DATABASE_URL, its errors, and the page docs/postgresql.md. A
parameter is taken, ignored because it changes nothing here, or refused: nobody should believe that
a certificate is shown, or a list of revoked ones is read, when the driver cannot do that.
"""

from typing import Final

from msgspec import Struct


class Parameter(Struct, frozen=True):
    """A connection parameter.

    Attributes:
        name: libpq's name.
        about: what is done with it and why; it ends the sentence of an error.
        field: the setting that takes it.
        harmless: values that are ignored, others are refused; None for any value.
        variable: libpq's environment variable, refused like the parameter.

    """

    name: str
    about: str
    field: str | None = None
    harmless: frozenset[str] | None = frozenset()
    variable: str = ""

    def refuses(self, value: str) -> bool:
        """Whether this value of it is an error."""
        return self.field is None and self.harmless is not None and value not in self.harmless


def _taken(name: str, field: str, about: str) -> Parameter:
    return Parameter(name, about, field=field)


def _ignored(name: str, about: str) -> Parameter:
    return Parameter(name, about, harmless=None)


def _refused(name: str, about: str, *harmless: str, variable: str = "") -> Parameter:
    return Parameter(name, about, harmless=frozenset(harmless), variable=variable)


_KEEPALIVE: Final = "the service sets its own, by which a dead connection is noticed in seconds"
_KERBEROS: Final = "the driver does not speak Kerberos, so there is nothing to name"
_CERTIFICATE: Final = (
    "the driver cannot show a client certificate; use a password (SCRAM over TLS), or a PgBouncer"
    " beside the service with server_tls_cert_file and server_tls_key_file"
)
_REVOKED: Final = "the driver reads no list of revoked certificates; leave it out"
_OAUTH: Final = "the driver does not speak OAuth; use a password"
_SCRAM: Final = "the driver takes passwords only; use the password"
_PRISMA: Final = "it is Prisma's, and psql does not know it either; leave it out"
_JDBC: Final = "it is JDBC's, and psql does not know it either; leave it out"
_POOL: Final = "it sizes another driver's pool; leave it out: the service holds eight connections"
_SETTING: Final = "psql does not know it either; write it in options, as -c NAME=VALUE"

PARAMETERS: Final = (
    _taken("host", "host", "a name, an address, or the folder of a socket; several with commas"),
    _taken("hostaddr", "hostaddr", "where to connect; host is then only the name on certificates"),
    _taken("port", "port", "one, or one for each host"),
    _taken("dbname", "name", "the database; the user's name when left out"),
    _taken("user", "user", "the role"),
    _taken("password", "password", "its password"),
    _taken("sslmode", "ssl_mode", "how it is encrypted; see TLS"),
    _taken("sslrootcert", "ssl_root_cert", "a PEM file, or system; see TLS"),
    _taken("channel_binding", "channel_binding", "disable, prefer or require; see TLS"),
    _taken("target_session_attrs", "target_session_attrs", "read-write when left out; see Hosts"),
    _taken("load_balance_hosts", "load_balance_hosts", "disable, or random order of hosts"),
    _taken("connect_timeout", "connect_timeout", "how long one attempt may take, 1 to 60 seconds"),
    _taken(
        "application_name",
        "application_name",
        "the name of the service's connections; orders when left out",
    ),
    _taken("options", "options", "sent as it is; what the service depends on is set after it"),
    _ignored("fallback_application_name", "orders is the fallback"),
    _ignored("client_encoding", "the driver always speaks UTF8"),
    _ignored("keepalives", _KEEPALIVE),
    _ignored("keepalives_idle", _KEEPALIVE),
    _ignored("keepalives_interval", _KEEPALIVE),
    _ignored("keepalives_count", _KEEPALIVE),
    _ignored("tcp_user_timeout", _KEEPALIVE),
    _ignored("sslsni", "the driver always sends the host's name, which is the default"),
    _ignored("sslcompression", "TLS no longer compresses, and libpq ignores it too"),
    _ignored("krbsrvname", _KERBEROS),
    _ignored("gsslib", _KERBEROS),
    _ignored("gssdelegation", _KERBEROS),
    _ignored("max_protocol_version", "the driver speaks 3.0, which every server does"),
    _refused(
        "gssencmode",
        "the driver does not speak Kerberos; use TLS",
        *("disable", "prefer"),
        variable="PGGSSENCMODE",
    ),
    _refused(
        "sslnegotiation",
        "the driver asks the server for TLS first, as all did before PostgreSQL 17; leave it "
        "out: a server that takes direct TLS takes that too",
        "postgres",
        variable="PGSSLNEGOTIATION",
    ),
    _refused("sslcertmode", _CERTIFICATE, *("disable", "allow"), variable="PGSSLCERTMODE"),
    _refused("sslcert", _CERTIFICATE, variable="PGSSLCERT"),
    _refused("sslkey", _CERTIFICATE, variable="PGSSLKEY"),
    _refused("sslpassword", _CERTIFICATE),
    _refused("sslcrl", _REVOKED, variable="PGSSLCRL"),
    _refused("sslcrldir", _REVOKED, variable="PGSSLCRLDIR"),
    _refused("sslkeylogfile", "the driver never writes its keys; leave it out"),
    _refused(
        "ssl_min_protocol_version",
        "the driver takes TLS 1.2 and 1.3; to allow only 1.3, set it on the server",
        *("TLSv1", "TLSv1.1", "TLSv1.2"),
        variable="PGSSLMINPROTOCOLVERSION",
    ),
    _refused(
        "ssl_max_protocol_version",
        "the driver takes TLS 1.2 and 1.3; leave it out",
        "TLSv1.3",
        variable="PGSSLMAXPROTOCOLVERSION",
    ),
    _refused(
        "min_protocol_version",
        "the driver speaks 3.0; leave it out",
        "3.0",
        variable="PGMINPROTOCOLVERSION",
    ),
    _refused(
        "require_auth",
        "the driver does what the server asks for; channel_binding=require takes only SCRAM over"
        " TLS",
        variable="PGREQUIREAUTH",
    ),
    _refused(
        "requirepeer",
        "the driver does not check who owns a socket; use a folder that only that user can write "
        "to",
        variable="PGREQUIREPEER",
    ),
    _refused(
        "replication",
        "the service speaks SQL; leave it out",
        *("false", "off", "no", "0"),
    ),
    _refused(
        "passfile",
        "no password file is read; give the password in DB_PASSWORD, or a file that has nothing"
        " else in DB_PASSWORD_FILE",
    ),
    _refused("service", "no service file is read; write its parameters", variable="PGSERVICE"),
    _refused("scram_client_key", _SCRAM),
    _refused("scram_server_key", _SCRAM),
    _refused("oauth_issuer", _OAUTH),
    _refused("oauth_client_id", _OAUTH),
    _refused("oauth_client_secret", _OAUTH),
    _refused("oauth_scope", _OAUTH),
)

OTHERS: Final = (
    _refused("ssl", "psql takes only ssl=true, which means sslmode=require; write sslmode"),
    _refused("pgbouncer", _PRISMA),
    _refused("schema", "it is Prisma's; write options=-c%20search_path=NAME"),
    _refused("connection_limit", _POOL),
    _refused("pool_timeout", _POOL),
    _refused("socket_timeout", _PRISMA),
    _refused("statement_cache_size", _PRISMA),
    _refused("single_use_connections", _PRISMA),
    _refused("sslaccept", "it is Prisma's; write sslmode, as psql does"),
    _refused("sslidentity", _CERTIFICATE),
    _refused("currentSchema", "it is JDBC's; write options=-c%20search_path=NAME"),
    _refused("prepareThreshold", _JDBC),
    _refused("sslfactory", _JDBC),
    _refused("loginTimeout", _JDBC),
    _refused("tcpKeepAlive", _JDBC),
    _refused("uselibpqcompat", "it is node-postgres'; leave it out, this is libpq's way already"),
    _refused("supa", "it is for Supabase's own driver; leave it out"),
    _refused("workaround", "it is for another driver; leave it out"),
    _refused("prepared_statements", "it is for another driver; leave it out"),
    _refused("prepared_statement_cache_size", "it is for another driver; leave it out"),
    _refused("encoding", "it is for another driver; leave it out, text is UTF-8"),
    _refused("pool", _POOL),
    _refused("pool_size", _POOL),
    _refused("max_overflow", _POOL),
    _refused("pool_max_conns", _POOL),
    _refused("pool_min_conns", _POOL),
    _refused("search_path", _SETTING),
    _refused("statement_timeout", _SETTING),
    _refused("lock_timeout", _SETTING),
    _refused("timezone", _SETTING),
)
"""Parameters of other drivers' URLs; psql refuses them too."""

BY_NAME: Final = {parameter.name: parameter for parameter in (*PARAMETERS, *OTHERS)}
TAKEN: Final = tuple(parameter.name for parameter in PARAMETERS if parameter.field is not None)
