"""The time that a pass has for its writes, so that one that is slow to be refused holds no other.

Each write may take half of what is left, so those after one that is slow have their share, and all
together never take more than there is. Once too little is left for a write that is well, none is
begun: the next pass has it made first thing, as it does not wait for the slow ones again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from orders_operator.client.errors import ErrorReason, KubeError

WRITES_SECONDS: Final = 20.0
"""For the children of one pass."""
STATUS_SECONDS: Final = 5.0
"""For the status, which is written whatever the children cost."""
EVENTS_SECONDS: Final = 2.0
"""For the Events. All three, and an API server that takes a second longer each time, make 30 s."""
_LEAST_SECONDS: Final = 0.2

_SPENT: Final = (
    "not attempted yet: earlier writes that were refused took all the time of this pass"
)


class Allowance:
    """Seconds to spend."""

    def __init__(
        self, seconds: float = WRITES_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with nothing spent."""
        self._left = seconds
        self._clock = clock

    @contextmanager
    def share(self) -> Iterator[float]:
        """Give the seconds that the next write may take, and charge for those that it took.

        Raises:
            KubeError: too few are left.

        """
        if self._left < _LEAST_SECONDS:
            raise KubeError(ErrorReason.UNAVAILABLE, _SPENT, lost=False)
        began = self._clock()
        try:
            yield self._left / 2
        finally:
            self._left -= self._clock() - began
