"""The configuration: one frozen object, read once from the environment.

A bad value is a `ConfigError`: one line that names the variable, what it was, and what is allowed.
An empty variable counts as not set, because Kubernetes and compose files leave such variables.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

from orders.config import conninfo, parse
from orders.config.auth import AuthConfig, check_metrics, read_auth
from orders.config.auth_settings import ACCESS
from orders.config.cors import CORS, Cors, read_cors
from orders.config.database import Database, Endpoint, from_parts
from orders.config.database_settings import DATABASE
from orders.config.masking import Secrets, masked_value
from orders.config.parameters import PARAMETERS
from orders.config.server_tls import SERVER_TLS, ServerTls, read_server_tls
from orders.config.settings import LOGS, SERVICE, TESTS, Setting
from orders.config.tls import Tls
from orders.config.tracing import TracingConfig, read_tracing
from orders.config.tracing_settings import TRACING

__all__ = [
    "AuthConfig", "Config", "ConfigError", "Cors", "Database", "Endpoint", "InForce", "ServerTls",
    "Tls", "TracingConfig",
]  # fmt: skip

_T = TypeVar("_T")

_SHOWN: Final = 80
_URL: Final = DATABASE[0]
_HOST: Final = frozenset(("host", "hostaddr"))
_HOST_NAMES: Final = tuple(
    n for setting in DATABASE if setting.field in _HOST for n in setting.names
)


class ConfigError(Exception):
    """A value that is not allowed; the message is one line for the operator."""


class InForce(Struct, frozen=True):
    """A setting's value and where it came from; `value` is masked if it is a secret."""

    name: str
    value: str
    source: str


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
        reader = _Reader(environ)
        service = reader.group(SERVICE)
        if service["http_port"] == service["metrics_port"]:
            raise _bad("METRICS_PORT", str(service["metrics_port"]), "a port other than HTTP_PORT")
        auth, access = _auth(reader)
        logs = reader.group(LOGS)
        tracing = _made(reader, read_tracing, TRACING)
        tls = _made(reader, read_server_tls, SERVER_TLS)
        cors = _made(reader, read_cors, CORS)
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
        values = [*parse.split_pairs(tracing.headers or "").values(), *_keys(tracing.endpoint)]
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


class _Reader:
    """Reads settings and notes what is in force."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.in_force: list[InForce] = []
        self.names: dict[str, str] = {}

    def group(self, settings: tuple[Setting, ...]) -> dict[str, Any]:
        return {setting.field: self.read(setting) for setting in settings}

    def read(self, setting: Setting) -> Any:
        """Return the first of the setting's variables that is set, or its default."""
        for name in setting.names:
            text, source = self._text(setting, name)
            if text is None:
                continue
            self.names[setting.field] = name
            try:
                value = setting.parse(text)
            except ValueError:
                raise _bad(name, text, setting.allowed, secret=setting.secret) from None
            self.note(setting, value, source, name)
            return value
        return self.default(setting)

    def says(self, setting: Setting, value: Any) -> bool:
        """Whether a setting has this value; one that is wrong has none."""
        name = self.given(setting)
        try:
            return name is not None and setting.parse(self._environ[name]) == value
        except ValueError:
            return False

    def given(self, setting: Setting) -> str | None:
        """Return the variable that a setting would be read from."""
        return next((name for name in setting.names if self.raw(name) is not None), None)

    def unread(self, setting: Setting) -> Any:
        """Return the setting's default, as its variables do not count."""
        given = self.given(setting)
        self.note(setting, setting.default, "default" if given is None else "not read")
        return setting.default

    def instead(self, setting: Setting, value: Any, name: str) -> None:
        """Note that the value of a setting that was read came from another one's variable."""
        self.in_force = [e for e in self.in_force if e.name not in setting.names]
        self.note(setting, value, name)

    def default(self, setting: Setting) -> Any:
        """Return the setting's default, whatever its variables say."""
        self.note(setting, setting.default, "default")
        return setting.default

    def raw(self, name: str) -> str | None:
        """Return a variable's text; None when it is not set."""
        return self._environ.get(name) or None

    def _text(self, setting: Setting, name: str) -> tuple[str | None, str]:
        text = self.raw(name)
        path = self.raw(f"{name}_FILE") if setting.secret else None
        if path is None:
            return text, "environment"
        if text is not None:
            raise ConfigError(f"{name} and {name}_FILE are both set: set one of them")
        try:
            content = Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "not UTF-8 text"
            raise _bad(f"{name}_FILE", path, f"a readable file ({why})") from None
        content = content.removesuffix("\n").removesuffix("\r")
        if not content:
            raise _bad(f"{name}_FILE", path, "a file that is not empty")
        return content, f"file {path}"

    def note(self, setting: Setting, value: Any, source: str, name: str | None = None) -> None:
        """Note what is in force; a secret as `***`, and no credentials of a URL."""
        shown = "" if value is None else "***" if setting.secret else masked_value(str(value))
        self.in_force.append(InForce(name or setting.names[0], shown, source))


def _keys(endpoint: str | None) -> list[str]:
    """Return what a URL may have of secrets: its password, and the values of its query."""
    parts = urlsplit(endpoint or "")
    return [unquote(parts.password or ""), *(value for _, value in parse_qsl(parts.query))]


def _database(reader: _Reader) -> Database | None:
    """Make the database of its settings; None when no variable says where it is."""
    url = reader.read(_URL)
    parts = reader.group(DATABASE[1:]) if url is None else _url_parts(reader, url)
    if parts["host"] is None and parts["hostaddr"] is None:
        return None
    for parameter in PARAMETERS:
        value = reader.raw(parameter.variable)
        if value is not None and parameter.refuses(value):
            raise _bad(parameter.variable, value, f"to leave it out; {parameter.about}")
    try:
        return from_parts(parts)
    except ValueError as error:
        setting = next(setting for setting in DATABASE if setting.field == str(error))
        name, value = reader.names[setting.field], str(parts[setting.field])
        raise (
            _bad_part(setting) if name in _URL.names else _bad(name, value, setting.allowed)
        ) from None


def _url_parts(reader: _Reader, url: str) -> dict[str, Any]:
    """Split DATABASE_URL; the other variables supply what it leaves out.

    But a host brings its port: a cluster sets DB_PORT beside a Service that is called db.
    """
    try:
        split = conninfo.parse(url)
    except ValueError as error:
        allowed = f"{_URL.allowed}; it {error}"
        raise _bad(_URL.names[0], url, allowed, secret=True) from None
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


def _url_part(reader: _Reader, setting: Setting, text: str) -> Any:
    try:
        value = setting.parse(text)
    except ValueError:
        raise _bad_part(setting) from None
    reader.names[setting.field] = _URL.names[0]
    reader.note(setting, value, _URL.names[0])
    return value


def _bad_part(setting: Setting) -> ConfigError:
    parameter = next(p.name for p in PARAMETERS if p.field == setting.field)
    return _bad(_URL.names[0], "", f"its {parameter} as {setting.allowed}", secret=True)


def _auth(reader: _Reader) -> tuple[AuthConfig, dict[str, Any]]:
    try:
        auth, access = read_auth(reader), reader.group(ACCESS)
        check_metrics(auth, asks=access["metrics_auth"])
    except ValueError as error:
        field, allowed = error.args
        name = reader.names[field]
        raise _bad(name, str(reader.raw(name)), allowed) from None
    return auth, access


def _made(reader: _Reader, read: Callable[[_Reader], _T], settings: tuple[Setting, ...]) -> _T:
    """Read what is made of several settings; what it raises names the field that is wrong."""
    try:
        return read(reader)
    except ValueError as error:
        setting = next(setting for setting in settings if setting.field == str(error))
        name = reader.given(setting) or setting.names[0]
        raise _bad(name, str(reader.raw(name)), setting.allowed) from None


def _bad(name: str, value: str, allowed: str, *, secret: bool = False) -> ConfigError:
    value = masked_value(value)
    value = value if len(value) <= _SHOWN else value[:_SHOWN] + "..."
    shown = "a secret" if secret else repr(value)
    return ConfigError(f"{name} is {shown}; allowed: {allowed}")
