"""How an event becomes a line: JSON for machines, colour for people."""

import logging
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from msgspec import json

from orders.telemetry.caller import client
from orders.telemetry.context import current
from orders_common.log_fields import LogFields, encodable, traceback_of
from orders_common.masking import Mask, masked

SHOWN: Final = 256
"""Characters of a path or user agent, which are the caller's, that a line or a span repeats."""
_LONGEST_SECRET: Final = 256
"""Characters beyond those that are looked at, so that no part of a secret is left at the end."""
_REMEMBERED: Final = 1024
_LONGEST_REMEMBERED: Final = 256

_COLOURS: Final = {"DEBUG": "2", "INFO": "32", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}
_encode: Final = json.Encoder().encode
is_id: Final = re.compile(
    r"/[a-z]+/[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
).fullmatch
"""Whether a path is none but an id: it needs no escapes in JSON, and has no secret."""


class Record(NamedTuple):
    """A request, as it is kept until it is counted and its line is written.

    The hot path leaves plain tuples with these fields, which cost a tenth.
    """

    at: float
    method: str
    path: str
    route: str
    status: int
    seconds: float
    trace_id: str
    span_id: str
    problem: str | None
    sampled: bool
    connection: str = ""
    forwarded: str | None = None
    agent: str | None = None
    scheme: str = "http"
    subject: str = ""


class JsonFormatter:
    """One JSON object a line."""

    def __init__(self, mask: Mask = masked) -> None:
        """Start a clock; `mask` keeps secrets out of what is logged."""
        self._mask = mask
        self._fields = LogFields(mask)
        self._stamp = self._fields.stamp
        self._callers = Remembered(_asking)
        self._agents = Remembered(self._using)
        self._subjects = Remembered(_called)
        self._fixed: dict[tuple[str, str, int, str | None], str] = {}

    def access(self, records: Iterable[Record]) -> bytes:
        """Return the lines of requests."""
        lines = []
        for (
            at, method, path, route, status, seconds, trace_id, span_id, problem, _,
            connection, proxied, agent, _, subject,
        ) in records:  # fmt: skip
            kind = (method, route, status, problem)
            fixed = self._fixed.get(kind)
            if fixed is None:
                fixed = self._fixed[kind] = _fixed(*kind)
            plain = path == route or is_id(path)
            quoted = f'"{path}"' if plain else self._quoted(path, SHOWN)
            caller = self._callers[connection] if proxied is None else _asking(connection, proxied)
            using = "" if agent is None else self._agents[agent]
            if subject:
                using = self._subjects[subject] + using
            lines.append(
                f'{{"time":"{self._stamp(at)}",{fixed},"path":{quoted},"duration_ms":'
                f"{seconds * 1000:.3f},{caller}{using}"
                f'"trace_id":"{trace_id}","span_id":"{span_id}"}}\n'
            )
        return "".join(lines).encode()

    def event(self, record: logging.LogRecord) -> bytes:
        """Return the line of a log record."""
        context = current.get()
        fields = self._fields.head(record)
        if context is not None:
            fields["trace_id"] = context.trace_id
            fields["span_id"] = context.span_id
        fields |= self._fields.extras(record, fields)
        if record.exc_info:
            fields["exception"] = self._fields.exception(record)
        return _encode(fields) + b"\n"

    def _using(self, agent: str) -> str:
        """Return the field for the user agent."""
        return f'"user_agent":{self._quoted(agent, SHOWN)},'

    def _quoted(self, told: str, limit: int) -> str:
        """Return a caller's text as JSON."""
        return _encode(encodable(shown(told, limit, self._mask))).decode()


def _fixed(method: str, route: str, status: int, problem: str | None) -> str:
    """Return the part of an access line that is the same for all requests of a kind."""
    level = "ERROR" if problem == "internal" else "INFO"
    tail = "" if problem is None else f',"problem":"{problem}"'
    return (
        f'"level":"{level}","logger":"orders.access","message":"{method} {route} {status}",'
        f'"method":"{method}","route":"{route}","status":{status}{tail}'
    )


class Remembered(dict[str, str]):
    """What is shown, by what it is made of; what is long is made anew each time."""

    def __init__(self, make: Callable[[str], str]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: str) -> str:
        """Make it."""
        made = self._make(key)
        if len(key) <= _LONGEST_REMEMBERED:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[key] = made
        return made


def _asking(connection: str, proxied: str | None = None) -> str:
    """Return the fields for the caller's address, and the connection's if that is another one."""
    address, peer = client(connection, proxied)
    told = "" if address == peer else f'"peer":{_encode(peer).decode()},'
    return f'"client":{_encode(address).decode()},{told}'


def _called(subject: str) -> str:
    """Return the field for who calls."""
    return f'"subject":{_encode(encodable(subject)).decode()},'


class TextFormatter:
    """A line for people; coloured when asked."""

    def __init__(self, mask: Mask = masked, *, colour: bool) -> None:
        """Keep whether to colour; `mask` keeps secrets out of what is logged."""
        self._mask = mask
        self._colour = colour

    def access(self, records: Iterable[Record]) -> bytes:
        """Return the lines of requests."""
        return b"".join([self._request(Record._make(record)) for record in records])

    def _request(self, record: Record) -> bytes:
        problem = "" if record.problem is None else f" {record.problem}"
        path = _printable(shown(record.path, SHOWN, self._mask))
        what = f"{record.method} {path} {record.status}{problem}"
        address, _ = client(record.connection, record.forwarded)
        agent = ""
        if record.agent is not None:
            agent = f' "{_printable(shown(record.agent, SHOWN, self._mask))}"'
        return self._line(
            record.at,
            "INFO",
            f"{what} {record.seconds * 1000:.1f} ms, {address}{agent}",
            record.trace_id,
        )

    def event(self, record: logging.LogRecord) -> bytes:
        """Return the line, or lines, of a log record."""
        context = current.get()
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + traceback_of(record).rstrip()
        text = _printable(self._mask(text), keep="\n\t")
        trace_id = "" if context is None else context.trace_id
        return self._line(record.created, record.levelname, text, trace_id)

    def _line(self, at: float, level: str, text: str, trace_id: str) -> bytes:
        clock = f"{datetime.fromtimestamp(at, UTC):%H:%M:%S.%f}"[:12]
        level = f"{level:7}"
        if self._colour:
            level = f"\033[{_COLOURS.get(level.strip(), '0')}m{level}\033[0m"
            trace_id = f"\033[2m{trace_id}\033[0m" if trace_id else ""
        return f"{clock} {level} {text} {trace_id}".rstrip().encode() + b"\n"


def shown(told: str, limit: int, mask: Mask) -> str:
    """Return the beginning of what a caller said, without secrets."""
    return mask(told[: limit + _LONGEST_SECRET])[:limit]


def _printable(text: str, keep: str = "") -> str:
    """Return text that cannot steer a terminal; `keep` may stay."""
    return "".join(c if c.isprintable() or c in keep else "?" for c in text)
