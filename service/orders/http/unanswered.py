"""Measures for how long callers have been sending something that is not answered yet.

A head may come a byte at a time. The server waits for its end as long as for the next request, and
such a connection is never idle. To the system it is a connection on which bytes come in and none
go out. A request is answered within its deadline; so one that began to come longer ago than that
is still incomplete.
"""

import math
from typing import Final, NamedTuple

from orders.descriptors import Address

_NOTHING: Final = math.inf
"""The begin of a request of which nothing has come."""


class _Known(NamedTuple):
    """A connection as it was last seen."""

    caller: Address
    read: int
    received: int
    begun: float
    """When something first came after the last answer."""


class Unanswered:
    """Compares connections from one look to the next."""

    def __init__(self) -> None:
        self._now = 0.0
        self._known: dict[int, _Known] = {}
        self._before: dict[int, _Known] = {}

    def look(self, now: float) -> None:
        """Begin a pass at a time in seconds; connections that it does not see are forgotten."""
        self._now = now
        self._before, self._known = self._known, {}

    def see(self, descriptor: int, caller: Address, read: int, received: int) -> None:
        """Remember a connection.

        Args:
            descriptor: of it.
            caller: its other end, because the descriptor may by now be another connection's.
            read: bytes that the caller has taken.
            received: bytes that came from it.

        """
        before = self._before.get(descriptor)
        begun = _NOTHING
        if before is not None and before[:2] == (caller, read):
            begun = before.begun
            if begun == _NOTHING and received != before.received:
                begun = self._now
        elif received and not read:
            begun = self._now
        self._known[descriptor] = _Known(caller, read, received, begun)

    def seconds(self, descriptor: int, read: int, now: float) -> float:
        """Return for how long a connection has had no answer to what came; 0 if it has had one."""
        known = self._known.get(descriptor)
        if known is None or known.read != read:
            return 0.0
        return max(0.0, now - known.begun)
