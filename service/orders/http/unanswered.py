"""For how long callers have been sending something that is not answered yet.

A head may come a byte at a time. The server waits for its end as long as for the next request, and
such a connection is never idle. Seen from the system, it is one on which bytes come and of which
none are taken. A request is answered within its deadline; so what began to come longer ago than
that has no end yet.
"""

import math
from typing import Final, NamedTuple

from orders.descriptors import Address

_NOTHING: Final = math.inf
"""When that began of which nothing has come."""


class _Known(NamedTuple):
    """A connection as it was seen last."""

    caller: Address
    read: int
    received: int
    begun: float
    """When something came for the first time after the last answer."""


class Unanswered:
    """Compares what is seen of connections from one look to the next."""

    def __init__(self) -> None:
        """Know of none."""
        self._now = 0.0
        self._known: dict[int, _Known] = {}
        self._before: dict[int, _Known] = {}

    def look(self, now: float) -> None:
        """Begin a look, at a time in seconds; what it does not see is forgotten."""
        self._now = now
        self._before, self._known = self._known, {}

    def see(self, descriptor: int, caller: Address, read: int, received: int) -> None:
        """Remember a connection.

        Args:
            descriptor: of it.
            caller: its other end, as another connection may have the descriptor by now.
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
        """Return for how long a connection has had no answer to what came, if that is still so."""
        known = self._known.get(descriptor)
        if known is None or known.read != read:
            return 0.0
        return max(0.0, now - known.begun)
