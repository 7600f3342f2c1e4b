"""How the text of a variable becomes a value; what is not allowed is a ValueError."""

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
    """Take the name of an object."""
    stripped = text.strip()
    if _NAME.fullmatch(stripped) is None or len(stripped) > _NAME_LENGTH:
        raise ValueError(text)
    return stripped


def names(text: str) -> tuple[str, ...]:
    """Take names separated by commas, each once."""
    return tuple(dict.fromkeys(name(part) for part in text.split(",") if part.strip()))


def within(allowed: range) -> Callable[[str], int]:
    """Parse a whole number of a range."""

    def parse(text: str) -> int:
        stripped = text.strip()
        if not (stripped.isascii() and stripped.isdigit()) or int(stripped) not in allowed:
            raise ValueError(text)
        return int(stripped)

    return parse


def interval(text: str) -> float:
    """Parse `30`, `30s`, `1500ms`, `1.5m`, `1h`: seconds, from 1s to 24h."""
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
    """Parse one of the values, or an alias of one, in any case."""
    known = {value.lower(): value for value in values} | aliases

    def parse(text: str) -> str:
        try:
            return known[text.strip().lower()]
        except KeyError:
            raise ValueError(text) from None

    return parse


def text(value: str) -> str:
    """Take any text without control characters."""
    if not value.isprintable():
        raise ValueError(value)
    return value


def url(text: str) -> str:
    """Take an http or https URL."""
    if not text.isprintable() or " " in text:
        raise ValueError(text)
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError(text)  # reading a port that is none is a ValueError too
    return text


def pairs(text: str) -> str:
    """Take `name=value,name=value`, as OpenTelemetry writes headers and attributes."""
    if not text.isprintable() or any("=" not in p for p in text.split(",") if p.strip()):
        raise ValueError(text)
    return text
