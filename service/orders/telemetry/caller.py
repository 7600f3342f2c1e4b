"""The caller's address, and the scheme and server of the URL it asked for, from the request.

Behind a proxy these come from the proxy's headers (RFC 7239, or X-Forwarded-*), as the semantic
conventions say. A caller that reaches the service directly can write such a header, so the address
of the connection is recorded as well.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

FORWARDED: Final = "forwarded"
FORWARDED_FOR: Final = "x-forwarded-for"
FORWARDED_HOST: Final = "x-forwarded-host"
FORWARDED_PROTO: Final = "x-forwarded-proto"

_REMEMBERED: Final = 512
_SERVERS: Final = 64
_LAST_PORT: Final = 65_535
_LONGEST: Final = 256
"""The most characters of a header that is read; a longer one is no list of proxies."""
_SCHEMES: Final = frozenset(("http", "https"))
_PAIR: Final = re.compile(
    r'\s*(for|host|proto)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]*)\s*', re.IGNORECASE
)
_SERVER: Final = re.compile(
    r"(?:\[([0-9a-fA-F:.]+)\]|([^\s:/@,\[\]\"\\]+))(?::([0-9]{1,5})?)?"
).fullmatch


def forwarded(headers: Mapping[str, str]) -> str | None:
    """Return the header that says for whom a proxy asks, in the form that `client` takes."""
    header = headers.get(FORWARDED)
    if header is not None:
        return _pair(header, "for")
    return headers.get(FORWARDED_FOR)


def client(connection: str, proxied: str | None) -> tuple[str, str]:
    """Return the address of the caller, and that of the connection.

    Args:
        connection: ADDRESS:PORT of the connection.
        proxied: what `forwarded` returned.

    """
    peer = _address(connection)
    if proxied is None or len(proxied) > _LONGEST:
        return peer, peer
    return _first(proxied) or peer, peer


def scheme(headers: Mapping[str, str], own: str = "http") -> str:
    """Return `https` or `http`: what a proxy says, or else the service's own."""
    header = headers.get(FORWARDED)
    found = headers.get(FORWARDED_PROTO, "") if header is None else _pair(header, "proto")
    found = (found or "").split(",")[0].strip().lower()
    return found if found in _SCHEMES else own


def server(headers: Mapping[str, str]) -> tuple[str, int | None] | None:
    """Return host and port of the caller's URL, as far as the headers have them.

    They are what the first proxy was asked, else the service; the first that is a host counts.
    """
    proxied = headers.get(FORWARDED)
    named = (
        None if proxied is None else _pair(proxied, "host"),
        headers.get(FORWARDED_HOST),
        headers.get("host"),
    )
    looked_at = (value for value in named if value and len(value) <= _LONGEST)
    return next(filter(None, map(_server, looked_at)), None)


def port(connection: str) -> int:
    """Return the port of ADDRESS:PORT."""
    return int(connection.rpartition(":")[2])


def _pair(header: str, name: str) -> str | None:
    """Return a parameter of the first proxy (RFC 7239, 4), which is the one next to the caller."""
    if len(header) > _LONGEST:
        return None
    for part in header.split(",", maxsplit=1)[0].split(";"):
        match = _PAIR.fullmatch(part)
        if match is not None and match[1].lower() == name:
            return match[2].strip('"')
    return None


@lru_cache(_REMEMBERED)
def _address(text: str) -> str:
    """Return the address of ADDRESS:PORT; of one that is mapped into IPv6 the address itself."""
    host = text.rpartition(":")[0].strip("[]")
    return _known(host) or host


@lru_cache(_REMEMBERED)
def _first(header: str) -> str | None:
    """Return the first address of a list; None if it is none, as a proxy may hide it."""
    text = header.split(",", maxsplit=1)[0].strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return _known(text)


@lru_cache(_SERVERS)
def _server(header: str) -> tuple[str, int | None] | None:
    """Split the first HOST:PORT of a list; None if it is none."""
    match = _SERVER(header.split(",", maxsplit=1)[0].strip())
    if match is None or int(match[3] or 0) > _LAST_PORT:
        return None
    return match[1] or match[2], int(match[3]) if match[3] else None


def _known(text: str) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
