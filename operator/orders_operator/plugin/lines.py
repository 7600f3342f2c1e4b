"""Lines of the service's log, in a readable form. Pure.

The service writes JSON. Lines of a library or of the interpreter may be anything, and stay as they
are, except for characters that could control a terminal.
"""

from datetime import UTC, datetime
from typing import Any, Final

from msgspec import DecodeError, Struct, json
from rich.text import Text

from orders_operator.rollout.situation import moment

_STYLES: Final = {
    "DEBUG": "dim", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red",
}  # fmt: skip
_PODS: Final = ("cyan", "magenta", "blue", "green", "yellow", "bright_cyan", "bright_magenta")
_TOLD: Final = frozenset(
    {"time", "level", "message", "logger", "method", "route", "status", "span_id", "exception"}
)
"""Fields that the line already shows, or that only machines need."""


class Line(Struct, frozen=True):
    """A line of a pod's log, and when the container runtime received it."""

    pod: str
    at: datetime
    content: bytes

    @property
    def fields(self) -> dict[str, Any] | None:
        """Return the fields that the service wrote; None if the line is not its JSON."""
        if not self.content.startswith(b"{"):
            return None
        try:
            document: dict[str, Any] = json.decode(self.content, type=dict[str, Any])
        except (DecodeError, RecursionError):
            return None
        return document if "message" in document else None


def document(line: Line) -> bytes:
    """Return a line as JSON with its pod, even if it was not JSON."""
    fields = line.fields
    if fields is None:
        text = line.content.decode(errors="replace")
        fields = {"time": line.at.astimezone(UTC), "message": text}
    return json.encode({"pod": line.pod, **fields})


def readable(line: Line, short: str) -> Text:
    """Return a line for people; an exception takes several lines.

    Args:
        line: the line of the log.
        short: the name of its pod, which is put in front.

    """
    fields = line.fields
    line_text = Text(short, _PODS[sum(short.encode()) % len(_PODS)])
    if fields is None:
        return line_text.append(f" {_printable(line.content.decode(errors='replace'))}", "default")
    level = str(fields.get("level") or "")
    at = moment(str(fields.get("time") or "")) or line.at
    line_text.append(f" {at.astimezone(UTC):%H:%M:%S}.{at.microsecond // 1000:03}", "dim")
    line_text.append(f" {level:7}", _STYLES.get(level, "green"))
    line_text.append(f" {_printable(str(fields['message']))}", "default")
    more = {name: it for name, it in fields.items() if name not in _TOLD}
    if more.get("path") == fields.get("route"):
        more.pop("path", None)
    for name, value in more.items():
        line_text.append(f" {name}={_printable(str(value))}", "dim")
    for text in str(fields.get("exception") or "").splitlines():
        line_text.append(f"\n{short} {_printable(text)}", "dim")
    return line_text


def _printable(text: str) -> str:
    """Return text that cannot control a terminal."""
    return "".join(char if char.isprintable() or char == "\t" else "?" for char in text)
