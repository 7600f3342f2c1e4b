"""Where PostgreSQL is: from a URL, or from its parts, to what the driver takes."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote

from msgspec import Struct

_PORT: Final = re.compile("[0-9]{1,5}")
_PORTS: Final = range(1, 65_536)
_SCHEMES: Final = frozenset(("postgres", "postgresql"))
_PARAMETERS: Final = {
    "sslmode": "ssl_mode",
    "sslrootcert": "ssl_root_cert",
    "target_session_attrs": "target_session_attrs",
    "connect_timeout": "connect_timeout",
    "host": "host",
    "port": "port",
}
_IGNORED: Final = frozenset(("application_name",))  # only what this service is called there
_PLAIN_HOST: Final = re.compile(r"/.*|[^\[\]:/]+").fullmatch
_IPV6: Final = re.compile(r"[0-9a-fA-F.]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*").fullmatch
_VERIFYING: Final = frozenset(("verify-ca", "verify-full"))


class Database(Struct, frozen=True):
    """A database and how to reach it; several hosts are tried in order."""

    hosts: tuple[str, ...]
    ports: tuple[int, ...]
    user: str
    password: str | None
    name: str
    ssl_mode: str | None = None
    ssl_root_cert: str | None = None
    target_session_attrs: str = "any"
    connect_timeout: int = 2

    def __repr__(self) -> str:
        """Say where, never the password."""
        return f"Database({self.where!r})"

    @property
    def where(self) -> str:
        """Hosts, ports and database, for people."""
        hosts = ",".join(f"{h}:{p}" for h, p in zip(self.hosts, self.ports, strict=True))
        return f"{hosts}/{self.name}"

    @property
    def dsn(self) -> str:
        """What the driver takes; has the password."""
        secret = "" if self.password is None else ":" + quote(self.password, safe="")
        hosts = ",".join(
            f"{quote(h, safe='[]:') if not h.startswith('/') else quote(h, safe='')}:{p}"
            for h, p in zip(self.hosts, self.ports, strict=True)
        )
        return (
            f"postgresql://{quote(self.user, safe='')}{secret}@{hosts}/{quote(self.name, safe='')}"
            f"?target_session_attrs={self.target_session_attrs}"
        )


def from_parts(parts: Mapping[str, Any]) -> Database:
    """Make a database of the settings of its group.

    Raises:
        ValueError: with the name of the field that is wrong.

    """
    if parts["ssl_mode"] in _VERIFYING and parts["ssl_root_cert"] is None:
        msg = "ssl_mode"
        raise ValueError(msg)
    hosts = tuple(_host(part) for part in str(parts["host"]).split(","))
    ports = _ports(str(parts["port"]), len(hosts))
    target = parts["target_session_attrs"] or ("read-write" if len(hosts) > 1 else "any")
    return Database(
        hosts=hosts,
        ports=ports,
        user=parts["user"],
        password=parts["password"],
        name=parts["name"] or parts["user"],
        ssl_mode=parts["ssl_mode"],
        ssl_root_cert=parts["ssl_root_cert"],
        target_session_attrs=target,
        connect_timeout=parts["connect_timeout"],
    )


def split_url(url: str) -> dict[str, str]:
    """Split a database URL into the settings it has.

    Raises:
        ValueError: with what is wrong with it; never with the URL, which may have a password.

    """
    scheme, _, rest = url.partition("://")
    if scheme not in _SCHEMES or not rest:
        msg = "does not start with postgresql://"
        raise ValueError(msg)
    rest, _, query = rest.partition("?")
    authority, _, name = rest.partition("/")
    if "@" in name or "@" in query:
        msg = "has an @, / or ? in the password that is not percent-encoded"
        raise ValueError(msg)
    parts: dict[str, str] = {}
    credentials, _, places = authority.rpartition("@")
    user, colon, password = credentials.partition(":")
    if user:
        parts["user"] = unquote(user)
    if colon:
        parts["password"] = unquote(password)
    parts |= _places(places)
    if name:
        parts["name"] = unquote(name)
    for key, value in parse_qsl(query):
        if key in _PARAMETERS:
            parts[_PARAMETERS[key]] = value
        elif key == "options":
            msg = (
                "has options, which are not passed on: set them for the role (ALTER ROLE ... SET)"
            )
            raise ValueError(msg)
        elif key not in _IGNORED:
            msg = f"has a parameter that is not one of {', '.join(_PARAMETERS)}"
            raise ValueError(msg)
    return parts


def _places(text: str) -> dict[str, str]:
    if not text:
        return {}
    hosts, ports = zip(*(_place(place) for place in text.split(",")), strict=True)
    found = {"port": ",".join(port or "5432" for port in ports)}
    return found | ({"host": ",".join(hosts)} if any(hosts) else {})


def _place(place: str) -> tuple[str, str]:
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:]*)(?::([0-9]*))?", place)
    if match is None:
        msg = "has a host that is not HOST or HOST:PORT"
        raise ValueError(msg)
    return unquote(match[1]), match[2] or ""


def _host(text: str) -> str:
    host = text.strip()
    if _PLAIN_HOST(host) is not None:
        return host
    address = host.removeprefix("[").removesuffix("]")
    if _IPV6(address) is None or host not in {address, f"[{address}]"}:
        msg = "host"
        raise ValueError(msg)
    return f"[{address}]"


def _ports(text: str, count: int) -> tuple[int, ...]:
    ports = [part.strip() for part in text.split(",")]
    if len(ports) == 1:
        ports *= count
    if len(ports) != count or not all(_PORT.fullmatch(p) and int(p) in _PORTS for p in ports):
        raise ValueError("port")
    return tuple(int(port) for port in ports)
