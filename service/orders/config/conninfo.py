"""Parses DATABASE_URL as psql does: a URL, or `host=... dbname=...`, to parameters.

The rules are libpq's ("Connection Strings" in its manual): only percent-encoding counts, so a plus
is a plus, and the last of two equal parameters wins. It is more lenient in two places: the
password of a URL ends at the last @, so an @ in it does no harm, and a value may contain an =.
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

from orders.config.parameters import BY_NAME, TAKEN

_SCHEMES: Final = ("postgresql://", "postgres://")
_ANY_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.:-]*)://").match
_DRIVER_SCHEME: Final = re.compile(r"postgres(?:ql)?\+[a-z0-9_]+").fullmatch
_ENCODED: Final = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*").fullmatch
_PLACE: Final = re.compile(r"(\[[^\[\]]+\]|[^:\[\]]*)(?::([0-9]*))?").fullmatch
_PAIR: Final = re.compile(
    r"\s*(?P<key>[^\s=]+)\s*=\s*(?:'(?P<quoted>(?:[^'\\]|\\.)*)'(?=\s|\Z)|(?P<plain>(?:[^\s'\\]|\\.)"
    r"(?:[^\s\\]|\\.)*)?(?=\s|\Z))\s*",
    re.DOTALL,
).match
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def parse(text: str) -> dict[str, str]:
    """Return the settings that a connection string has, by their fields.

    Raises:
        ValueError: with what is wrong with it; never with its text, which may have a password.

    """
    is_url = text.startswith(_SCHEMES)
    pairs = _of_url(text.partition("://")[2]) if is_url else _of_keywords(text)
    found: dict[str, str] = {}
    for given, value in pairs:
        name, value = _as_libpq_renames(given, value)  # noqa: PLW2901  the pair is one thing
        parameter = BY_NAME.get(name)
        if parameter is None:
            raise ValueError(f"has a parameter that is not one of {', '.join(TAKEN)}")
        if value and parameter.refuses(value):
            but = f", other than {' or '.join(sorted(h))}" if (h := parameter.harmless) else ""
            raise ValueError(f"has {name}{but}: {parameter.about}")
        if value and parameter.field is not None:
            found[parameter.field] = value
    return found


def _as_libpq_renames(name: str, value: str) -> tuple[str, str]:
    if name == "ssl" and value == "true":
        return "sslmode", "require"
    if name == "requiressl":
        return "sslmode", "require" if value.startswith("1") else "prefer"
    return name, value


def _of_url(rest: str) -> Iterator[tuple[str, str]]:
    rest, _, query = rest.partition("?")
    authority, _, name = rest.partition("/")
    credentials, at, places = authority.rpartition("@")
    if "@" in name or ("@" in query and not at):
        raise ValueError("has an @, / or ? in the password that is not percent-encoded")
    user, _, password = credentials.partition(":")
    yield "user", _decoded(user)
    yield "password", _decoded(password)
    if places:
        hosts, ports = zip(*map(_place, places.split(",")), strict=True)
        yield "host", ",".join(hosts)
        yield "port", ",".join(ports)
    yield "dbname", _decoded(name)
    for pair in query.split("&") if query else ():
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError("has a parameter without a value")
        yield _decoded(key), _decoded(value)


def _place(text: str) -> tuple[str, str]:
    match = _PLACE(text)
    if match is None:
        raise ValueError("has a host that is not HOST or HOST:PORT")
    return _decoded(match[1]), match[2] or ""


def _decoded(text: str) -> str:
    if not _ENCODED(text):
        raise ValueError("has a % that is not followed by two hex digits; write %25 for a %")
    try:
        decoded = unquote_to_bytes(text).decode()
    except UnicodeError:
        raise ValueError("is not UTF-8 text, percent-encoded") from None
    if "\0" in decoded:
        raise ValueError("has a %00, which PostgreSQL does not take")
    return decoded


def _of_keywords(text: str) -> Iterator[tuple[str, str]]:
    scheme = _ANY_SCHEME(text)
    if scheme is not None:
        raise ValueError(_why_not(scheme[1]))
    if text.startswith(("psql ", "'", '"')):
        raise ValueError(
            "starts with psql or a quotation mark, which is the shell's; leave it out"
        )
    if "=" not in text:
        raise ValueError("does not start with postgresql://")
    end = 0
    while end < len(text):
        match = _PAIR(text, end)
        if match is None:
            raise ValueError("has a parameter that is not NAME=VALUE or NAME='VALUE'")
        value = match["plain"] or "" if match["quoted"] is None else match["quoted"]
        yield match["key"], _ESCAPED.sub(r"\1", value)
        end = match.end()


def _why_not(scheme: str) -> str:
    if scheme == "jdbc:postgresql":
        return (
            "is a URL of JDBC; write postgresql://user:password@host:port/name, which is the key"
            " uri where a Secret has both"
        )
    if _DRIVER_SCHEME(scheme):
        return "has a driver after the +, as SQLAlchemy writes it; write postgresql://"
    return "does not start with postgresql://"
