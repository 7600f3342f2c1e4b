"""The orders that the service acknowledged, to compare with its database row by row.

An order is derived from its number and the run's name, so that one takes 32 bytes here: a million
take 32 MB. Creates that were given up are unknown: they may exist all the same.
"""

import uuid
from array import array
from collections.abc import Iterator

from msgspec import Struct

_ID_BYTES = 16
_QUANTITIES = 1000


class Order(Struct, frozen=True):
    """An order as it is sent, and as it must be read."""

    key: str
    item: str
    quantity: int


class Entry(Struct, frozen=True):
    """One create; `id` is None if its outcome is unknown, `at` when that was known, since 1970."""

    id: str | None
    key: str
    item: str
    quantity: int
    at: float


class Ledger:
    """The creates of one run."""

    def __init__(self, run: str) -> None:
        """Start empty; the name of the run must be unique, because keys are made of it."""
        self._run = run
        self._numbers = array("Q")
        self._ids = bytearray()
        self._times = array("d")
        self._unknown_numbers = array("Q")
        self._unknown_times = array("d")

    def __len__(self) -> int:
        """Return how many orders are acknowledged."""
        return len(self._numbers)

    @property
    def unknown(self) -> int:
        """Return how many creates have an unknown outcome."""
        return len(self._unknown_numbers)

    def order(self, number: int) -> Order:
        """Return the order of this number; every one has a key and an item of its own."""
        name = f"{self._run}-{number}"
        return Order(name, f"load {name}", number % _QUANTITIES + 1)

    def acknowledge(self, number: int, order_id: uuid.UUID, at: float) -> None:
        """Note that the order of this number was acknowledged."""
        self._numbers.append(number)
        self._ids += order_id.bytes
        self._times.append(at)

    def lose(self, number: int, at: float) -> None:
        """Note that it is unknown whether the order of this number was created."""
        self._unknown_numbers.append(number)
        self._unknown_times.append(at)

    def acknowledged(self, position: int) -> Entry:
        """Return the acknowledged order at a position."""
        start = position * _ID_BYTES
        order_id = uuid.UUID(bytes=bytes(self._ids[start : start + _ID_BYTES]))
        return self._entry(self._numbers[position], str(order_id), self._times[position])

    def entries(self) -> Iterator[Entry]:
        """Yield acknowledged orders, then unknown ones; more may be noted meanwhile."""
        for position in range(len(self)):
            yield self.acknowledged(position)
        for position in range(self.unknown):
            number, at = self._unknown_numbers[position], self._unknown_times[position]
            yield self._entry(number, None, at)

    def _entry(self, number: int, order_id: str | None, at: float) -> Entry:
        order = self.order(number)
        return Entry(order_id, order.key, order.item, order.quantity, round(at, 3))
