"""A body in pieces, read without a task and within bounds; to its reader it is a Landing.

Nearly every body is one piece, which is there at once (`calls.py`). Others arrive slowly, and some
are chunked: .NET chunks every body, and so do Java's streams. RSGI gives an empty piece for the
end of a body, for a part that broke off and for trailers (RFC 9112, 7.1.2); only after the end
does it give nothing more. So a chunked body with trailers is taken for one that broke off.
"""

from collections.abc import Callable
from typing import Any, Final

from orders.errors import Problem
from orders.http.budget import ORDINARY_BODY, Held

_FACTOR: Final = 3


class BrokenOff(Exception):
    """The body ended before its end."""


class TooLong(Exception):
    """The body has more bytes than it may have; `sent` is what arrived."""

    def __init__(self, sent: bytes) -> None:
        super().__init__()
        self.sent = sent


def ended(stream: Any) -> bool:
    """Whether an empty piece was the end of a body: only after the end does nothing follow."""
    try:
        stream.__anext__().cancel()
    except StopAsyncIteration:
        return True
    return False


class Chunks:
    """The pieces of a body as they arrive."""

    def __init__(
        self, stream: Any, limit: int, held: Held, *, length: int | None = None, sent: bytes = b""
    ) -> None:
        """Take at most `limit` bytes; the piece that exceeds them is the last one read.

        Args:
            stream: gives the pieces.
            limit: bytes.
            held: charged for the body from a few KiB on.
            length: bytes of the whole body, if that is known.
            sent: what has already arrived.

        """
        self._stream = stream
        self._limit = limit
        self._held = held
        self._length = length
        self._sent = bytearray(sent)
        self._charged = 0
        self._next: Any = None
        self._callback: Callable[[Any], None] = lambda _: None
        self._failure: Exception | None = None

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Start reading; call back in the loop's thread when it is over, possibly at once."""
        self._callback = callback
        self._go_on_if(self._charge)

    def result(self) -> bytes:
        """Return the body.

        Raises:
            BrokenOff: it is incomplete.
            TooLong: it is longer than `limit`.
            Problem: there is no memory for it.

        """
        if self._failure is not None:
            raise self._failure
        return bytes(self._sent)

    def cancel(self) -> bool:
        """Stop reading."""
        self._held.release()
        reading, self._next = self._next, None
        return reading is not None and bool(reading.cancel())

    def _read(self) -> None:
        reading = self._next = self._stream.__anext__()
        reading.add_done_callback(self._came)

    def _came(self, reading: Any) -> None:
        if self._next is None:
            return  # cancelled
        self._next = None  # else it would be a cycle that nobody collects
        try:
            piece: bytes = reading.result()
        except Exception:  # noqa: BLE001  whatever it is, no more will come
            piece = b""
        self._sent += piece
        self._go_on_if(lambda: self._goes_on(piece))

    def _go_on_if(self, goes_on: Callable[[], bool]) -> None:
        """Read on, or call back."""
        try:
            more = goes_on()
        except (BrokenOff, TooLong, Problem) as failure:
            failure.__traceback__ = None  # it has this frame, which would be a cycle
            self._failure = failure
            more = False
        if more:
            self._read()
        else:
            self._held.release()
            self._callback(self)

    def _charge(self) -> bool:
        """Hold what has arrived, if it is large; return True, as more is to come.

        Raises:
            Problem: there is no memory for it.

        """
        size = len(self._sent)
        if size > ORDINARY_BODY:
            arriving = 0 if self._charged else self._held.arriving
            self._held.grow(arriving + (size - self._charged) * _FACTOR)
            self._charged = size
        return True

    def _goes_on(self, piece: bytes) -> bool:
        """Whether there is more to come after a piece."""
        size = len(self._sent)
        if size > self._limit:
            raise TooLong(bytes(self._sent))
        self._charge()
        if self._length is not None:
            if size >= self._length:
                return False
        elif not piece and ended(self._stream):
            return False
        if not piece:
            raise BrokenOff
        return True
