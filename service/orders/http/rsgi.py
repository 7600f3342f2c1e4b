"""The types of RSGI, Granian's own interface, and how the headers of a request are read.

RSGI gives text, and hides a value whose bytes are not visible ASCII. If the API reads a header and
the header has no readable value, it must not pass for absent.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

Headers = list[tuple[str, str]]

READ: Final = (
    "accept", "accept-encoding", "content-encoding", "content-length", "content-type", "host",
    "idempotency-key", "if-match", "if-none-match", "transfer-encoding",
)  # fmt: skip
"""The headers that the API reads; an unreadable header of a trace counts as absent."""

CREDENTIALS: Final = ("authorization", "x-api-key")
"""The headers that identify the caller; the gate decides whether to read them."""

_ONCE: Final = frozenset(
    (
        *READ,
        *CREDENTIALS,
        "traceparent",
        "tracestate",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-proto",
    )
)


class RequestHeaders(Protocol):
    """The headers of a request; names are in lower case."""

    def __contains__(self, name: str) -> bool:
        """Whether there is a header of this name, readable or not."""

    def __len__(self) -> int:
        """Count the names."""

    def keys(self) -> list[str]:
        """Return each name once."""

    def items(self) -> list[tuple[str, str]]:
        """Return the readable headers, line by line."""

    def get(self, name: str) -> str | None:
        """Return a readable value of one name."""

    def get_all(self, name: str) -> list[str]:
        """Return the readable values of one name."""


class Scope(Protocol):
    """A request; each attribute is made when it is read."""

    method: str
    path: str
    query_string: str
    scheme: str
    http_version: str
    client: str
    server: str
    headers: RequestHeaders


class Landing(Protocol):
    """A result that will arrive: a part of asyncio's Future."""

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Call this in the loop, once, when the result is there."""

    def result(self) -> bytes:
        """Return the result; raise the error that replaced it."""

    def cancel(self) -> bool:
        """Stop waiting for it."""


class Exchange(Protocol):
    """RSGI's protocol object: gives the body of a request, and takes its answer."""

    def __call__(self) -> Landing:
        """Return the whole body."""

    def __aiter__(self) -> Any:
        """Return the body in pieces; an empty one is its end."""

    def __anext__(self) -> Landing:
        """Return the next piece of a body on which iteration has begun."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer; callable from any thread, at any time, even if the caller has left."""


def plain(headers: RequestHeaders) -> dict[str, str] | None:
    """Return the headers; None if one that matters is repeated, or cannot be read."""
    items = headers.items()
    found = dict(items)
    if len(found) != len(headers) and (unreadable(headers) or hidden_credentials(headers)):
        return None
    if len(found) != len(items):
        names = [name for name, _ in items if name in _ONCE]
        if len(names) != len(set(names)):
            return None
    return found


def address(text: str) -> tuple[str, int]:
    """Return the host and the port of ADDRESS:PORT."""
    host, _, port = text.rpartition(":")
    return host, int(port)


def unreadable(headers: RequestHeaders) -> str | None:
    """Return the name of a header that the API reads and that has no readable value."""
    return next((name for name in READ if _is_hidden(headers, name)), None)


def hidden_credentials(headers: RequestHeaders) -> list[str]:
    """Return the names of credentials that have no readable value."""
    return [name for name in CREDENTIALS if _is_hidden(headers, name)]


def _is_hidden(headers: RequestHeaders, name: str) -> bool:
    return name in headers and not headers.get_all(name)
