"""The time that a pass has for its writes, so that one that is slow to be refused holds no other.

Each write may take half of what is left, so the last one still has its share however slow the ones
before were, and all together never take more than there is.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

WRITES_SECONDS: Final = 25.0
"""For the children of one pass."""
STATUS_SECONDS: Final = 5.0
"""For the status, which is written whatever the children cost."""


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
        """Give the seconds that the next write may take, and charge for those that it took."""
        began = self._clock()
        most = self._left / 2
        try:
            yield most
        finally:
            self._left -= min(most, self._clock() - began)
