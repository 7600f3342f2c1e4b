"""Parsers of variables; each raises a ValueError for text that is not allowed."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)?")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
_NAME_LENGTH: Final = 253
_INTERVALS: Final = (1.0, 86400.0)


def name(text: str) -> str:
    """Parse the name of an object."""
    stripped = text.strip()
    if _NAME.fullmatch(stripped) is None or len(stripped) > _NAME_LENGTH:
        raise ValueError(text)
    return stripped


def names(text: str) -> tuple[str, ...]:
    """Parse names separated by commas, and drop repetitions."""
    return tuple(dict.fromkeys(name(part) for part in text.split(",") if part.strip()))


def within(allowed: range) -> Callable[[str], int]:
    """Return a parser of a whole number in a range."""

    def parse(text: str) -> int:
        stripped = text.strip()
        if not (stripped.isascii() and stripped.isdigit()) or int(stripped) not in allowed:
            raise ValueError(text)
        return int(stripped)

    return parse


def interval(text: str) -> float:
    """Parse `30`, `30s`, `1500ms`, `1.5m`, `1h` to seconds, from 1 s to 24 h."""
    match = _DURATION.fullmatch(text.strip())
    low, high = _INTERVALS
    if match is None or not low <= float(match[1]) * _UNITS[match[2]] <= high:
        raise ValueError(text)
    return float(match[1]) * _UNITS[match[2]]


def ratio(text: str) -> float:
    """Parse a number from 0 to 1."""
    if re.fullmatch(r"[0-9]*\.?[0-9]+", text.strip()) is None or not 0 <= float(text) <= 1:
        raise ValueError(text)
    return float(text)


def choice(*values: str, **aliases: str) -> Callable[[str], str]:
    """Return a parser of one of the values, or an alias of one, in any case."""
    known = {value.lower(): value for value in values} | aliases

    def parse(text: str) -> str:
        try:
            return known[text.strip().lower()]
        except KeyError:
            raise ValueError(text) from None

    return parse


def text(value: str) -> str:
    """Parse any text without control characters."""
    if not value.isprintable():
        raise ValueError(value)
    return value


def url(text: str) -> str:
    """Parse an http or https URL."""
    if not text.isprintable() or " " in text:
        raise ValueError(text)
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError(text)  # an invalid port is a ValueError too
    return text


def pairs(text: str) -> str:
    """Parse `name=value,name=value`, as OpenTelemetry writes headers and attributes."""
    if not text.isprintable() or any("=" not in p for p in text.split(",") if p.strip()):
        raise ValueError(text)
    return text
