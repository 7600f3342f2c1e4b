"""The configuration: one frozen object, read once from the environment."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

from orders.config import conninfo
from orders.config.auth import AuthConfig, check_metrics, read_auth
from orders.config.auth_settings import ACCESS
from orders.config.cors import CORS, Cors, read_cors
from orders.config.database import Database, Endpoint, from_parts
from orders.config.database_settings import DATABASE
from orders.config.parameters import PARAMETERS
from orders.config.server_tls import SERVER_TLS, ServerTls, read_server_tls
from orders.config.settings import LOGS, SERVICE, TESTS, TRACING
from orders.config.tls import Tls
from orders_common.masking import Secrets
from orders_common.parse import split_pairs
from orders_common.settings import ConfigError, InForce, Reader, Setting, refusal
from orders_common.tracing import TracingConfig, read_tracing

__all__ = [
    "AuthConfig", "Config", "ConfigError", "Cors", "Database", "Endpoint", "InForce", "ServerTls",
    "Tls", "TracingConfig",
]  # fmt: skip

_URL: Final = DATABASE[0]
_HOST: Final = frozenset(("host", "hostaddr"))
_HOST_NAMES: Final = tuple(
    n for setting in DATABASE if setting.field in _HOST for n in setting.names
)


class Config(Struct, frozen=True):
    """Everything that can be set, in seconds and bytes; `faults` wraps an `OrderService`."""

    database: Database | None
    tracing: TracingConfig
    http_host: str
    http_port: int
    metrics_port: int
    request_timeout: float
    http_keep_alive_timeout: float
    queue_limit: int
    batch_limit: int
    memory_limit: int | None
    shutdown_delay: float
    shutdown_grace_period: float
    log_level: str
    log_level_file: str | None
    log_format: str
    metrics_auth: bool
    docs_enabled: bool
    plugins: tuple[Callable[[Any], None], ...] | None
    auth: AuthConfig
    tls: ServerTls | None = None
    cors: Cors | None = None
    faults: Callable[[Any], Any] | None = None
    in_force: tuple[InForce, ...] = ()

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Config":
        """Read every setting.

        Raises:
            ConfigError: a value is not allowed.

        """
        reader = Reader(environ)
        service = reader.group(SERVICE)
        if service["http_port"] == service["metrics_port"]:
            raise refusal(
                "METRICS_PORT", str(service["metrics_port"]), "a port other than HTTP_PORT"
            )
        auth, access = _auth(reader)
        logs = reader.group(LOGS)
        tracing = read_tracing(reader, TRACING)
        tls = reader.together(read_server_tls, SERVER_TLS)
        cors = reader.together(read_cors, CORS)
        tests = reader.group(TESTS)
        database = _database(reader)
        return cls(
            database=database,
            tracing=tracing,
            auth=auth,
            tls=tls,
            cors=cors,
            in_force=tuple(reader.in_force),
            **service,
            **access,
            **logs,
            **tests,
        )

    def secrets(self) -> Secrets:
        """Return what no line may show: the database's password, and the keys to the collector."""
        database, tracing = self.database, self.tracing
        values = [*split_pairs(tracing.headers or "").values(), *_keys(tracing.endpoint)]
        values += [word for value in values for word in value.split()]  # Bearer TOKEN
        public = [self.tracing.service_name]
        if database is not None:
            values.append(database.password or "")
            public += [database.user, database.name, *database.hosts]
        return Secrets(values, public)

    @property
    def scheme(self) -> str:
        """The scheme of the API's own URLs."""
        return "http" if self.tls is None else "https"

    def needed_database(self) -> Database:
        """Return the database.

        Raises:
            ConfigError: none is configured.

        """
        if self.database is None:
            msg = "DATABASE_URL is not set: set it, or DB_HOST, or PGHOST"
            raise ConfigError(msg)
        return self.database


def _keys(endpoint: str | None) -> list[str]:
    """Return what a URL may have of secrets: its password, and the values of its query."""
    parts = urlsplit(endpoint or "")
    return [unquote(parts.password or ""), *(value for _, value in parse_qsl(parts.query))]


def _database(reader: Reader) -> Database | None:
    """Make the database of its settings; None when no variable says where it is."""
    url = reader.read(_URL)
    parts = reader.group(DATABASE[1:]) if url is None else _url_parts(reader, url)
    if parts["host"] is None and parts["hostaddr"] is None:
        return None
    for parameter in PARAMETERS:
        value = reader.raw(parameter.variable)
        if value is not None and parameter.refuses(value):
            raise refusal(parameter.variable, value, f"to leave it out; {parameter.about}")
    try:
        return from_parts(parts)
    except ValueError as error:
        setting = next(setting for setting in DATABASE if setting.field == str(error))
        name, value = reader.names[setting.field], str(parts[setting.field])
        raise (
            _bad_part(setting) if name in _URL.names else refusal(name, value, setting.allowed)
        ) from None


def _url_parts(reader: Reader, url: str) -> dict[str, Any]:
    """Split DATABASE_URL; the other variables supply what it leaves out.

    But a host brings its port: a cluster sets DB_PORT beside a Service that is called db.
    """
    try:
        split = conninfo.parse(url)
    except ValueError as error:
        allowed = f"{_URL.allowed}; it {error}"
        raise refusal(_URL.names[0], url, allowed, secret=True) from None
    if not split.keys() & _HOST and not any(map(reader.raw, _HOST_NAMES)):
        split["host"] = "localhost"
    given = split.keys() & _HOST
    parts = {}
    for setting in DATABASE[1:]:
        text = split.get(setting.field)
        if text is not None:
            parts[setting.field] = _url_part(reader, setting, text)
        elif given and setting.field in {*_HOST, "port"}:
            parts[setting.field] = reader.default(setting)
        else:
            parts[setting.field] = reader.read(setting)
    return parts


def _url_part(reader: Reader, setting: Setting, text: str) -> Any:
    try:
        value = setting.parse(text)
    except ValueError:
        raise _bad_part(setting) from None
    reader.names[setting.field] = _URL.names[0]
    reader.note(setting, value, _URL.names[0])
    return value


def _bad_part(setting: Setting) -> ConfigError:
    parameter = next(p.name for p in PARAMETERS if p.field == setting.field)
    return refusal(_URL.names[0], "", f"its {parameter} as {setting.allowed}", secret=True)


def _auth(reader: Reader) -> tuple[AuthConfig, dict[str, Any]]:
    try:
        auth, access = read_auth(reader), reader.group(ACCESS)
        check_metrics(auth, asks=access["metrics_auth"])
    except ValueError as error:
        field, allowed = error.args
        name = reader.names[field]
        raise refusal(name, str(reader.raw(name)), allowed) from None
    return auth, access
