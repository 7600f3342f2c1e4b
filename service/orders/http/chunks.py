"""A chunked body, read without a task and within a bound; seen from outside, it is a Landing.

Some clients chunk every body: .NET does, and Java's streams do. RSGI gives the end of a body, a
part that broke off and trailers (RFC 9112, 7.1.2) as an empty piece each; only after the end there
is nothing more. So a body with trailers is taken for one that broke off.
"""

from collections.abc import Callable
from typing import Any

from orders.http.rsgi import Exchange


class BrokenOff(Exception):
    """The body ended before its end."""


class TooLong(Exception):
    """The body has more bytes than it may have; `sent` is what came."""

    def __init__(self, sent: bytes) -> None:
        """Keep it."""
        super().__init__()
        self.sent = sent


def ended(stream: Any) -> bool:
    """Whether an empty piece was the end of a body: only after that there is nothing more."""
    try:
        stream.__anext__().cancel()
    except StopAsyncIteration:
        return True
    return False


class Chunks:
    """The pieces of a body on their way in."""

    def __init__(self, protocol: Exchange, limit: int) -> None:
        """Take no more than `limit` bytes, and a last piece."""
        self._stream = protocol.__aiter__()
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self._next: Any = None
        self._callback: Callable[[Any], None] = lambda _: None
        self._failure: Exception | None = None

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Start to read; call back in the loop's thread when that is over."""
        self._callback = callback
        self._read()

    def result(self) -> bytes:
        """Return the body.

        Raises:
            BrokenOff: it is not whole.
            TooLong: it has more than its bound.

        """
        if self._failure is not None:
            raise self._failure
        return b"".join(self._pieces)

    def cancel(self) -> bool:
        """Read no more."""
        reading, self._next = self._next, None
        return reading is not None and bool(reading.cancel())

    def _read(self) -> None:
        reading = self._next = self._stream.__anext__()
        reading.add_done_callback(self._came)

    def _came(self, reading: Any) -> None:
        if self._next is None:
            return  # cancelled
        self._next = None  # it would be a cycle that nobody collects
        try:
            piece: bytes = reading.result()
        except Exception:  # noqa: BLE001  whatever it is, no more will come
            piece = b""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > self._limit:
            self._failure = TooLong(b"".join(self._pieces))
        elif piece:
            self._read()
            return
        elif not ended(self._stream):
            self._failure = BrokenOff()
        self._callback(self)
