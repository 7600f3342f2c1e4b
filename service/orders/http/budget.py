"""What requests may hold of the process' memory: one budget in bytes, refused beyond it at once.

Ordinary reads and creates are not charged to it (`shares.py`). What can be larger is: bodies as
they arrive, counted as what they become when they are parsed; requests of the cold application
until they are answered, and so batches that wait or are out; answers until the system has taken
them; and what the server has of bodies that are read after their answer, and of callers who do not
read theirs.
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
"""Bytes of a cold request beside its head and body: its task, and what Litestar makes of it."""

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
"""The same for what is held as a courtesy; bodies being refused, it is less."""
_ANNOUNCE: Final = (b"content-length", b"transfer-encoding")
"""The headers that say that there is a body."""
_texts: Final = tuple_of([column.field for column in COLUMNS if column.kind is str])


def is_ordinary(headers: Sequence[tuple[object, bytes]]) -> bool:
    """Whether headers are no more than a request that is not charged may keep while it waits."""
    size = sum(len(value) for _, value in headers)
    return len(headers) <= ORDINARY_HEADERS and size <= ORDINARY_HEAD


def parsed(size: int) -> int:
    """Return what so many bytes of a body will be, by what bodies are made of as a rule."""
    orders = min(size / _SMALLEST_ORDER, _ORDERS)
    return int(size * _BODY_FACTOR + orders * (_ORDER + _TEXT))


def weight(orders: Sequence[NewOrder]) -> int:
    """Return the bytes that orders have while they wait: one emoji makes a text four times."""
    size = sum(getsizeof(text) for order in orders for text in _texts(order))
    return size + _ORDER * len(orders)


class Budget:
    """The bytes that requests hold; in the loop's thread."""

    def __init__(self, total: int, transport: Transport = PLAIN) -> None:
        """Have nothing charged of so many bytes; `transport` is what connections cost."""
        self.total = total
        self.transport = transport
        self.for_bodies = int(total * (1 - _RESERVE))
        self.for_courtesies = int(total * (1 - _COURTESY_RESERVE))
        self.used = 0
        self.refused = 0
        """How often there was not enough."""

    def take(self, size: int, whole: int, total: int | None = None) -> None:
        """Charge some bytes more to a request that then has `whole`.

        Args:
            size: bytes to charge.
            whole: bytes that the request then has.
            total: bytes that all may have then; those of the budget unless given.

        Raises:
            Overloaded: they are not there now.
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
        """Take a charge back."""
        self.used -= size


class Held:
    """What one request holds."""

    def __init__(self, budget: Budget) -> None:
        """Hold nothing."""
        self._budget = budget
        self._size = 0
        self._body = 0
        """Bytes of the body that came."""
        self._charged = 0
        """What is held for them."""

    @property
    def size(self) -> int:
        """Bytes."""
        return self._size

    @property
    def arriving(self) -> int:
        """Bytes that the server has of a body that is still coming."""
        return self._budget.transport.arriving

    def grow(self, size: int, total: int | None = None) -> None:
        """Hold some bytes more, as long as all requests then have no more than `total`.

        Raises:
            Overloaded: they are not there now.
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
        """Hold a piece of the body, and what becomes of it.

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
        """Hold what a body became in place of the body.

        Raises:
            Overloaded: it is more than was thought, and there is no memory for it now.
            ContentTooLarge: there never is.

        """
        if size > self._charged:
            self.grow(size - self._charged, self._budget.for_bodies)
        else:
            self._budget.give(self._charged - size)
            self._size -= self._charged - size
        self._charged = size

    def answers(self, size: int) -> None:
        """Hold an answer as well, unless what is held is as much.

        Raises:
            Overloaded: there is no memory for it.

        """
        if size > self._size:
            self.grow(size - self._size)

    def may_arrive(self) -> bool:
        """Hold a body that is read after its answer, if there is memory for that courtesy."""
        return self._may_grow(self.arriving)

    def may_wait(self) -> bool:
        """Hold small answers that are not read, if there is memory for that courtesy."""
        return self._may_grow(self._budget.transport.unread)

    def _may_grow(self, size: int) -> bool:
        budget = self._budget
        if budget.used + size > budget.for_courtesies:
            return False
        budget.used += size
        self._size += size
        return True

    def release(self, but: int = 0) -> int:
        """Hold nothing more; return what goes on being charged, `but` or less."""
        kept = min(but, self._size)
        self._budget.give(self._size - kept)
        self._size = 0
        return kept
