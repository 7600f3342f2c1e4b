"""Parses the text of a setting to a value: the one grammar of durations, sizes, numbers and URLs.

A text that is not allowed raises ValueError; what is allowed, the setting itself says.
"""

import re
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

Parser = Callable[[str], Any]
"""Turns text into a value; raises ValueError for what is not allowed."""

_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)?")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


def duration(low: float, high: float) -> Parser:
    """Parse `5`, `5s`, `500ms`, `1m`: seconds, from low to high."""
    return _with_unit(_DURATION, _UNITS, float, low, high)


def whole_seconds(low: int, high: int) -> Parser:
    """Parse a duration that is a whole number of seconds."""
    parse_duration = duration(low, high)

    def parse(text: str) -> int:
        seconds: float = parse_duration(text)
        if not seconds.is_integer():
            raise ValueError(text)
        return int(seconds)

    return parse


_DIGITS: Final = 18


def integer(low: int, high: int) -> Parser:
    """Parse a whole number from low to high."""

    def parse(text: str) -> int:
        stripped = text.strip()
        if not (stripped.isascii() and stripped.isdigit()) or len(stripped) > _DIGITS:
            raise ValueError(text)
        if not low <= int(stripped) <= high:
            raise ValueError(text)
        return int(stripped)

    return parse


_SIZE: Final = re.compile(r"([0-9]{1,18})(Ki|Mi|Gi|Ti|k|M|G|T)?")
_MULTIPLES: Final = {
    "k": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4,
    "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3, "Ti": 1024**4,
    None: 1,
}  # fmt: skip


def size(low: int, high: int) -> Parser:
    """Parse `134217728`, `128Mi`, `1G`, as Kubernetes writes quantities: bytes, low to high."""
    return _with_unit(_SIZE, _MULTIPLES, int, low, high)


def _with_unit(
    pattern: re.Pattern[str],
    units: Mapping[str | None, float],
    number: Callable[[str], float],
    low: float,
    high: float,
) -> Parser:
    """Parse a number and its unit, from low to high when they are multiplied."""

    def parse(text: str) -> float:
        match = pattern.fullmatch(text.strip())
        if match is None:
            raise ValueError(text)
        value = number(match[1]) * units[match[2]]
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return parse


def ratio(text: str) -> float:
    """Parse a number from 0 to 1."""
    if re.fullmatch(r"[0-9]*\.?[0-9]+", text.strip()) is None or not 0 <= float(text) <= 1:
        raise ValueError(text)
    return float(text)


def choice(*values: str, **aliases: str) -> Parser:
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


def word(longest: int) -> Parser:
    """Take text without spaces and control characters, of so many characters at most."""

    def parse(value: str) -> str:
        if len(value) > longest or not value.isprintable() or " " in value:
            raise ValueError(value)
        return value

    return parse


def address(value: str) -> str:
    """Take an IPv4 or IPv6 address; a name could be several, and listening takes one."""
    stripped = value.strip()
    family = socket.AF_INET6 if ":" in stripped else socket.AF_INET
    try:
        socket.inet_pton(family, stripped)
    except OSError:
        raise ValueError(value) from None
    return stripped


def secret(value: str) -> str:
    """Take any text but NUL, which PostgreSQL does not, and bytes that are not UTF-8."""
    if "\0" in value or not _is_unicode(value):
        raise ValueError(value)
    return value


def url(value: str) -> str:
    """Take an http or https URL."""
    if not value.isprintable() or re.fullmatch(r"https?://\S+", value) is None:
        raise ValueError(value)
    parts = urlsplit(value)
    if not parts.hostname or parts.port == 0:  # reading an invalid port raises ValueError
        raise ValueError(value)
    return value


def boolean(value: str) -> bool:
    """Parse `true` or `false` (OpenTelemetry's rule: anything but `true` is false is not kept)."""
    return bool(choice("true", "false")(value) == "true")


def pairs(value: str) -> str:
    """Take `name=value,name=value`, as OpenTelemetry writes headers and attributes."""
    if not value.isprintable() or any(
        "=" not in part for part in value.split(",") if part.strip()
    ):
        raise ValueError(value)
    return value


def split_pairs(text: str) -> dict[str, str]:
    """Split `name=value,name=value`; values are percent-encoded (W3C Baggage)."""
    found = (part.partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): unquote(value.strip()) for name, _, value in found}


def _is_unicode(value: str) -> bool:
    """Whether no byte of a variable was outside UTF-8; Python hands those on as surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in value)
