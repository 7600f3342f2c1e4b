"""How the id of an order is made: UUIDv7 (RFC 9562, 5.7).

It is made here and not in the database, so that an insert may be sent again after a lost
connection without making a second order.
"""

import time
from datetime import UTC, datetime, timedelta
from random import getrandbits
from typing import Final
from uuid import UUID

FIRST_ID: Final = "00000000-0000-0000-0000-000000000000"
"""The UUID below every id."""
LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"
"""The UUID above every id."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION_7: Final = 7 << 76
_VARIANT: Final = 2 << 62
_FRACTION: Final = 0xFFF


class IdSource:
    """Makes UUIDv7 that rise strictly.

    After the 48 bits of milliseconds, 12 bits hold the fraction of the millisecond (RFC 9562,
    6.2, method 3); a clock that stands still or goes back is overtaken by counting on.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> tuple[str, int]:
        """Return an id as text, and the milliseconds since 1970 that it carries."""
        stamp = _stamp(time.time_ns())
        if stamp <= self._last:
            stamp = self._last + 1
        self._last = stamp
        return _id(stamp, getrandbits(62)), stamp >> 12

    def rise_above(self, order_id: str) -> None:
        """Make only ids that are greater than this one."""
        number = UUID(order_id).int
        self._last = max(self._last, number >> 80 << 12 | number >> 64 & _FRACTION)


def id_at(ahead: float) -> str:
    """Return the least id for the time that is a number of seconds ahead."""
    return _id(_stamp(time.time_ns() + round(ahead * 1e9)), 0)


def first_id(at: datetime) -> str:
    """Return the id below which are exactly the orders that were created before a time.

    Ids carry whole milliseconds: those of a time within one are above the next.
    """
    ms = -((_EPOCH - at) // timedelta(milliseconds=1))
    return str(UUID(int=max(ms, 0) << 80))


def last_id(at: datetime) -> str:
    """Return the id above which are exactly the orders that were created at a time or later."""
    return str(UUID(int=max(UUID(first_id(at)).int - 1, 0)))


def time_of(order_id: str) -> datetime:
    """Return the time that an id carries."""
    return instant(UUID(order_id).int >> 80)


def _stamp(ns: int) -> int:
    """Return 48 bits of milliseconds, and 12 of the fraction of one."""
    ms, rest = divmod(ns, 1_000_000)
    return ms << 12 | (rest << 12) // 1_000_000


def _id(stamp: int, noise: int) -> str:
    number = stamp >> 12 << 80 | _VERSION_7 | (stamp & _FRACTION) << 64 | _VARIANT | noise
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def instant(ms: int) -> datetime:
    """Turn milliseconds since 1970 into an aware UTC datetime, exactly."""
    return _EPOCH + timedelta(milliseconds=ms)
