"""One timer of the loop that serves many deadlines: it rings at the earliest of them.

A timer for each would cost more than what waits for it, and nearly all would be cancelled.
"""

import asyncio
import math
from collections.abc import Callable


class Alarm:
    """Calls a function at the earliest of the times it was set for, once; then it is not set."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self.at = math.inf
        """The loop time at which it rings."""

    def by(self, time: float) -> None:
        """Ring at a loop time, unless it rings earlier."""
        if time < self.at:
            self.stop()
            self.at = time
            self._timer = self._loop.call_at(time, self._end)

    def stop(self) -> None:
        """Cancel it until it is set again."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self.at = math.inf

    def _end(self) -> None:
        self._timer = None
        self.at = math.inf
        self._ring()
