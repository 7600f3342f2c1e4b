"""The memory that requests may hold: one budget in bytes; a request beyond it is refused at once.

Ordinary reads and creates are not charged (`shares.py`). Whatever can be larger is: bodies as they
arrive, counted at their size once parsed; requests of the cold application until they are
answered, including bulks that wait or are in flight; answers until the system has sent them; and
what the server buffers of bodies that are read after their answer, and of answers that callers do
not read.
"""

from collections.abc import Sequence
from sys import getsizeof
from typing import Final

from orders.columns import tuple_of
from orders.errors import ContentTooLarge, Overloaded
from orders.http.shares import PLAIN, Transport
from orders.model import COLUMNS, NewOrder

ORDINARY_HEAD: Final = 2 * 1024
"""Bytes of headers that a hot call may have; with more it is cold, and charged."""
ORDINARY_HEADERS: Final = 32
ORDINARY_BODY: Final = 4 * 1024
"""Bytes of a body that are not charged: twice what an order needs."""
COLD: Final = 24 * 1024
"""Bytes of a cold request beside its head and body: its task, and Litestar's objects for it."""

_HEAD_FACTOR: Final = 4
_HEADER: Final = 512
_BODY_FACTOR: Final = 1.1
_SMALLEST_ORDER: Final = 26
_TEXT: Final = 49
_ORDER: Final = 160
_ORDERS: Final = 1_000
_PIECE: Final = 64
_RESERVE: Final = 1 / 8
"""The share of the budget that requests with a body leave to those without, and to answers."""
_COURTESY_RESERVE: Final = 1 / 16
"""The same for what is held as a courtesy; it is less, because bodies are refused before."""
_ANNOUNCE: Final = (b"content-length", b"transfer-encoding")
"""The headers that say that there is a body."""
_texts: Final = tuple_of([column.field for column in COLUMNS if column.kind is str])


def is_ordinary(headers: Sequence[tuple[object, bytes]]) -> bool:
    """Whether headers are small enough for a request that waits without being charged."""
    size = sum(len(value) for _, value in headers)
    return len(headers) <= ORDINARY_HEADERS and size <= ORDINARY_HEAD


def parsed(size: int) -> int:
    """Return the estimated size of `size` bytes of a body once they are parsed."""
    orders = min(size / _SMALLEST_ORDER, _ORDERS)
    return int(size * _BODY_FACTOR + orders * (_ORDER + _TEXT))


def weight(orders: Sequence[NewOrder]) -> int:
    """Return the bytes that orders hold while they wait; one emoji makes a text four times."""
    size = sum(getsizeof(text) for order in orders for text in _texts(order))
    return size + _ORDER * len(orders)


class Budget:
    """The bytes that requests hold; used in the loop's thread."""

    def __init__(self, total: int, transport: Transport = PLAIN) -> None:
        """Start with nothing charged of `total` bytes; `transport` is what connections cost."""
        self.total = total
        self.transport = transport
        self.for_bodies = int(total * (1 - _RESERVE))
        self.for_courtesies = int(total * (1 - _COURTESY_RESERVE))
        self.used = 0
        self.refused = 0
        """How often there was not enough memory."""

    def take(self, size: int, whole: int, total: int | None = None) -> None:
        """Charge a request for more bytes.

        Args:
            size: bytes to charge.
            whole: bytes that the request then holds.
            total: bytes that all requests may then hold; by default the whole budget.

        Raises:
            Overloaded: they are not available now.
            ContentTooLarge: they never are.

        """
        total = self.total if total is None else total
        if self.used + size > total:
            self.refused += 1
            if whole > total:
                raise ContentTooLarge(
                    "the request would need more memory than all requests together may use"
                )
            raise Overloaded("requests are using all the memory that they may")
        self.used += size

    def give(self, size: int) -> None:
        """Return bytes that were charged."""
        self.used -= size


class Held:
    """The bytes that one request holds."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._size = 0
        self._body = 0
        """Bytes of the body that have arrived."""
        self._charged = 0
        """Bytes held for them."""

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._size

    @property
    def arriving(self) -> int:
        """Bytes that the server buffers of a body that is still arriving."""
        return self._budget.transport.arriving

    def grow(self, size: int, total: int | None = None) -> None:
        """Hold `size` more bytes, if all requests then hold no more than `total`.

        Raises:
            Overloaded: they are not available now.
            ContentTooLarge: they never are.

        """
        self._budget.take(size, self._size + size, total)
        self._size += size

    def cold(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Hold a request of the cold application, with its headers.

        Raises:
            Overloaded: there is no memory for it.

        """
        size = sum(len(name) + len(value) for name, value in headers)
        size = COLD + size * _HEAD_FACTOR + len(headers) * _HEADER
        if any(name in _ANNOUNCE for name, _ in headers):
            self.grow(size + self.arriving, self._budget.for_bodies)
        else:
            self.grow(size)

    def arrived(self, size: int) -> None:
        """Hold a piece of the body, at its size once parsed.

        Raises:
            Overloaded: there is no memory for it now.
            ContentTooLarge: there never is.

        """
        if size:
            grown = parsed(self._body + size) - parsed(self._body) + _PIECE
            self.grow(grown, self._budget.for_bodies)
            self._body += size
            self._charged += grown

    def became(self, size: int) -> None:
        """Hold the parsed body in place of the body.

        Raises:
            Overloaded: it is larger than estimated, and there is no memory for it now.
            ContentTooLarge: there never is.

        """
        if size > self._charged:
            self.grow(size - self._charged, self._budget.for_bodies)
        else:
            self._budget.give(self._charged - size)
            self._size -= self._charged - size
        self._charged = size

    def answers(self, size: int) -> None:
        """Hold an answer as well, if it is larger than what is already held.

        Raises:
            Overloaded: there is no memory for it.

        """
        if size > self._size:
            self.grow(size - self._size)

    def may_arrive(self) -> bool:
        """Hold a body that is read after its answer, if there is memory for the courtesy."""
        return self._may_grow(self.arriving)

    def may_wait(self) -> bool:
        """Hold small answers that are not read, if there is memory for the courtesy."""
        return self._may_grow(self._budget.transport.unread)

    def _may_grow(self, size: int) -> bool:
        budget = self._budget
        if budget.used + size > budget.for_courtesies:
            return False
        budget.used += size
        self._size += size
        return True

    def release(self, but: int = 0) -> int:
        """Hold nothing more; return the bytes that stay charged, at most `but`."""
        kept = min(but, self._size)
        self._budget.give(self._size - kept)
        self._size = 0
        return kept
