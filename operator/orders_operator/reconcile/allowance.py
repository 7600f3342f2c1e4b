"""The time that a pass has for its writes, so that a slow refusal does not hold up the others.

Each write may take half of the time that is left, so the writes after a slow one keep a share, and
all of them together never exceed the total. Once too little is left for a healthy write, no
further write begins. The next pass makes the remaining writes, because it does not repeat the slow
ones.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from orders_operator.client.errors import ErrorReason, KubeError

WRITES_SECONDS: Final = 20.0
"""For the children of one pass."""
STATUS_SECONDS: Final = 5.0
"""For the status, which is written however long the children took."""
EVENTS_SECONDS: Final = 2.0
"""For the Events. With an API server that takes a second longer each time, all three make 30 s."""
_LEAST_SECONDS: Final = 0.2

_SPENT: Final = (
    "not attempted yet: earlier writes that were refused took all the time of this pass"
)


class Allowance:
    """The seconds that a pass may still spend on writes of one sort."""

    def __init__(
        self, seconds: float = WRITES_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._left = seconds
        self._clock = clock

    @contextmanager
    def share(self) -> Iterator[float]:
        """Yield the seconds that the next write may take, and deduct those that it took.

        Raises:
            KubeError: fewer than 0.2 s are left.

        """
        if self._left < _LEAST_SECONDS:
            raise KubeError(ErrorReason.UNAVAILABLE, _SPENT, lost=False)
        began = self._clock()
        try:
            yield self._left / 2
        finally:
            self._left -= self._clock() - began
