"""Where PostgreSQL is and how to connect to it: turns settings into the driver's arguments."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from msgspec import Struct

from orders.config import tls
from orders.config.tls import Tls
from orders_common import parse

_PORT: Final = re.compile("[0-9]{1,5}")
_PORTS: Final = range(1, 65_536)
_PLAIN_HOST: Final = re.compile(r"/.*|[^\[\]:/@]+").fullmatch
_IPV6: Final = re.compile(r"[0-9a-fA-F.]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*").fullmatch


class Endpoint(NamedTuple):
    """One of the hosts: a name or a socket's folder, its port, its address if that is given."""

    host: str
    port: int
    address: str | None = None


class Database(Struct, frozen=True):
    """A database and how to reach it; several hosts are tried in order."""

    hosts: tuple[str, ...]
    ports: tuple[int, ...]
    user: str
    password: str | None
    name: str
    ssl_mode: str | None = None
    ssl_root_cert: str | None = None
    target_session_attrs: str = "read-write"
    connect_timeout: int = 2
    addresses: tuple[str | None, ...] = ()
    channel_binding: str | None = None
    options: str = ""
    application_name: str = "orders"
    load_balance_hosts: str = "disable"

    def __repr__(self) -> str:
        """Say where, never the password."""
        return f"Database({self.where!r})"

    @property
    def where(self) -> str:
        """Hosts, ports and database, for people."""
        hosts = ",".join(f"{h}:{p}" for h, p in zip(self.hosts, self.ports, strict=True))
        return f"{hosts}/{self.name}"

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The hosts, in the order they were given."""
        addresses = self.addresses or (None,) * len(self.hosts)
        return tuple(map(Endpoint, self.hosts, self.ports, addresses))

    def attempts(self, host: str) -> tuple[Tls, ...]:
        """Return how to connect to one of the hosts, in order: with TLS, without, or both.

        A socket has no TLS, whatever is asked for. Where channel binding is required there is no
        try without TLS, which could not have it.
        """
        if host.startswith("/"):
            return (tls.PLAIN,)
        tries = tls.attempts(self.ssl_mode, self.ssl_root_cert)
        if self.channel_binding == "require":
            return tuple(one for one in tries if one.encrypted) or tries
        return tries

    def dsn_of(
        self, host: str, port: int, address: str | None = None, *, options: str = ""
    ) -> str:
        """Return what the driver takes for one host; it has the password.

        Args:
            host: one of the hosts; the name that TLS verifies.
            port: its port.
            address: where to connect to instead of asking for the host's addresses.
            options: start-up options of PostgreSQL, after those that were configured.

        """
        both = " ".join(filter(None, (self.options, options)))
        return self._dsn(_quoted_host(host) + f":{port}", hostaddr=address, options=both or None)

    @property
    def dsn(self) -> str:
        """What the driver takes for all hosts, and DATABASE_URL too; it has the password."""
        hosts = ",".join(f"{_quoted_host(e.host)}:{e.port}" for e in self.endpoints)
        given = [address for address in self.addresses if address is not None]
        addresses = ",".join(given) if len(given) == len(self.hosts) else None
        return self._dsn(hosts, hostaddr=addresses, options=self.options or None)

    def _dsn(self, hosts: str, **parameters: str | None) -> str:
        secret = "" if self.password is None else ":" + quote(self.password, safe="")
        parameters |= {
            "target_session_attrs": self.target_session_attrs,
            "channel_binding": self.channel_binding,
        }
        query = "&".join(
            f"{name}={quote(value, safe='')}"
            for name, value in parameters.items()
            if value is not None
        )
        return (
            f"postgresql://{quote(self.user, safe='')}{secret}@{hosts}"
            f"/{quote(self.name, safe='')}?{query}"
        )


def from_parts(parts: Mapping[str, Any]) -> Database:
    """Make a database of the settings of its group.

    Raises:
        ValueError: with the name of the field that is wrong.

    """
    ssl_mode, ssl_root_cert = tls.chosen(parts["ssl_mode"], parts["ssl_root_cert"])
    hosts = tuple(_host(part) for part in str(parts["host"] or parts["hostaddr"]).split(","))
    return Database(
        hosts=hosts,
        ports=_ports(str(parts["port"]), len(hosts)),
        user=parts["user"],
        password=parts["password"],
        name=parts["name"] or parts["user"],
        ssl_mode=ssl_mode,
        ssl_root_cert=ssl_root_cert,
        target_session_attrs=parts["target_session_attrs"],
        connect_timeout=parts["connect_timeout"],
        addresses=_addresses(parts["hostaddr"], len(hosts)),
        channel_binding=parts["channel_binding"],
        options=parts["options"] or "",
        # PostgreSQL cuts a name at 63 bytes and replaces what is not ASCII; something follows it.
        application_name=parts["application_name"].encode("ascii", "replace").decode()[:40],
        load_balance_hosts=parts["load_balance_hosts"],
    )


def _host(text: str) -> str:
    host = text.strip()
    if _PLAIN_HOST(host) is not None:
        return host
    address = host.removeprefix("[").removesuffix("]")
    if _IPV6(address) is None or host not in {address, f"[{address}]"}:
        raise ValueError("host")
    return f"[{address}]"


def _quoted_host(host: str) -> str:
    return quote(host, safe="" if host.startswith("/") else "[]:")


def _ports(text: str, count: int) -> tuple[int, ...]:
    ports = [part.strip() or "5432" for part in text.split(",")]
    if len(ports) == 1:
        ports *= count
    if len(ports) != count or not all(_PORT.fullmatch(p) and int(p) in _PORTS for p in ports):
        raise ValueError("port")
    return tuple(int(port) for port in ports)


def _addresses(text: str | None, count: int) -> tuple[str | None, ...]:
    """Return an address for each host, or none at all; libpq lets single ones be left out."""
    if text is None:
        return ()
    addresses = tuple(part.strip() or None for part in text.split(","))
    try:
        for address in filter(None, addresses):
            parse.address(address)
    except ValueError:
        raise ValueError("hostaddr") from None
    if len(addresses) != count:
        raise ValueError("hostaddr")
    return addresses
