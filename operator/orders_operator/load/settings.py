"""The settings of a load, read once: from command-line flags, or by name in Python.

One table has each flag with its default, what is allowed, and its meaning, so that the help and
the message about a bad value cannot differ.
"""

import argparse
import math
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from msgspec import Struct

from orders_common import parse
from orders_common.settings import refusal
from orders_operator.load.credential import word

_RATES: Final = (0.01, 100_000.0)
_interval: Final = parse.duration(1, 86_400)
_DURATION: Final = "a duration, 1s to 24h, as 30s or 5m"
_URL: Final = "an http or https URL without user, query and fragment"
_CREDENTIAL: Final = "a file with one word of visible ASCII, up to 16000 characters"
_CA: Final = "a file of certificates in PEM"


class LoadSettings(Struct, frozen=True):
    """The settings of a load. Durations are seconds, shares 0 to 1.

    `url` is the API's URL; requests go to `orders` below it. A `duration` of None runs until the
    load is stopped. `reads` is the share of requests that read an acknowledged order, `fresh` the
    share with their own connection. A failed request is tried again up to `retries` times; each
    try may take `timeout`. A kept-alive connection is replaced after `renew` requests. `watch` has
    URLs that are requested in parallel. If a file is named, requests carry its API key or bearer
    token. `ca_file` has the certificate authorities of an https service; None stands for the
    system's.
    """

    url: str
    rate: float = 100.0
    duration: float | None = 60.0
    reads: float = 0.5
    fresh: float = 0.2
    retries: int = 0
    timeout: float = 10.0
    renew: int = 100
    watch: tuple[str, ...] = ()
    api_key_file: Path | None = None
    token_file: Path | None = None
    ca_file: Path | None = None


class Address(NamedTuple):
    """An address to listen on; a `host` of None means every address."""

    host: str | None
    port: int


class _Flag(NamedTuple):
    parse: Callable[[str], Any]
    default: str
    metavar: str
    allowed: str
    help: str


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of a load to a command, but for `--url`, which not every command needs."""
    for name, flag in _FLAGS.items():
        parser.add_argument(
            f"--{name}",
            default=flag.default,
            metavar=flag.metavar,
            help=f"{flag.help} ({flag.allowed}; default: {flag.default})",
        )
    parser.add_argument(
        "--watch",
        action="append",
        default=[],
        metavar="URL",
        help="request this URL four times a second and report its answers; may be repeated",
    )
    either = parser.add_mutually_exclusive_group()
    for name, what in (("api-key-file", "API key"), ("token-file", "bearer token")):
        either.add_argument(
            f"--{name}",
            metavar="FILE",
            help=f"file with the {what} of each request, read again every 10 s",
        )
    parser.add_argument(
        "--ca-file",
        metavar="FILE",
        help="trust the authorities in this file instead of the system's",
    )


def from_flags(arguments: argparse.Namespace) -> LoadSettings:
    """Read `--url` and the flags that `add_flags` added.

    Raises:
        ConfigError: a value is not allowed.

    """
    values = {
        name: _read(name, getattr(arguments, name), flag.parse, flag.allowed)
        for name, flag in _FLAGS.items()
    }
    return LoadSettings(
        url=_read("url", arguments.url, _base, _URL),
        watch=tuple(
            _read("watch", each, parse.url, "an http or https URL") for each in arguments.watch
        ),
        api_key_file=_file("api-key-file", arguments.api_key_file, _credential, _CREDENTIAL),
        token_file=_file("token-file", arguments.token_file, _credential, _CREDENTIAL),
        ca_file=_file("ca-file", arguments.ca_file, _authorities, _CA),
        **values,
    )


def listen_address(text: str | None) -> Address | None:
    """Read `--listen`.

    Raises:
        ConfigError: it is not allowed.

    """
    return None if text is None else _read("listen", text, _address, "HOST:PORT, or :PORT")


def _read(name: str, text: str, parser: Callable[[str], Any], allowed: str) -> Any:
    try:
        return parser(text)
    except ValueError:
        raise refusal(f"--{name}", text, allowed) from None


def _file(name: str, text: str | None, parser: Callable[[str], Path], allowed: str) -> Path | None:
    return None if text is None else _read(name, text, parser, allowed)


def _credential(text: str) -> Path:
    word(Path(text))
    return Path(text)


def _authorities(text: str) -> Path:
    try:
        ssl.create_default_context(cafile=text)
    except OSError as error:  # an SSLError is one
        raise ValueError(text) from error
    return Path(text)


def _address(text: str) -> Address:
    host, colon, port = text.strip().rpartition(":")
    if not colon or " " in host or not host.isprintable():
        raise ValueError(text)
    number = parse.integer(1, 65_535)(port)
    return Address(host.removeprefix("[").removesuffix("]") or None, number)


def _base(text: str) -> str:
    parts = urlsplit(parse.url(text))
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(text)
    return text.rstrip("/")


def _rate(text: str) -> float:
    rate = float(text)
    if math.isnan(rate) or not _RATES[0] <= rate <= _RATES[1]:
        raise ValueError(text)
    return rate


def _duration(text: str) -> float | None:
    return None if text.strip() == "none" else _interval(text)


_FLAGS: Final = {
    "rate": _Flag(
        _rate, "100", "N", "0.01 to 100000", "requests a second, however slow the answers are"
    ),
    "duration": _Flag(
        _duration,
        "60s",
        "TIME",
        f"{_DURATION}, or none",
        ("how long to run; none runs until it is stopped"),
    ),
    "reads": _Flag(
        parse.ratio,
        "0.5",
        "SHARE",
        "0 to 1",
        ("share of requests that read an order; the others create one"),
    ),
    "fresh": _Flag(
        parse.ratio,
        "0.2",
        "SHARE",
        "0 to 1",
        ("share of requests that use a connection of their own"),
    ),
    "retries": _Flag(
        parse.integer(0, 100),
        "0",
        "N",
        "0 to 100",
        "retries with the same key after an error, a timeout or a 503",
    ),
    "timeout": _Flag(_interval, "10s", "TIME", _DURATION, "how long one attempt may take"),
    "renew": _Flag(
        parse.integer(1, 1_000_000),
        "100",
        "N",
        "1 to 1000000",
        "requests after which a kept-alive connection is replaced",
    ),
}
