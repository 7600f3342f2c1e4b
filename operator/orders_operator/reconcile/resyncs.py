"""When a resource is reconciled again though nothing happened: once an interval, each in its turn.

If all were reconciled together, the API server would have nothing to do for minutes, and then the
work of all of them at once. So each has its own time within the interval, drawn at random when it
is first seen. Each resync is also a little late, by another random amount, so that no two keep
step. A reconcile for any other reason does not move that time.
"""

import asyncio
import random
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

JITTER: Final = 0.1
"""How late a resync may be, as a share of the interval."""

Key = TypeVar("Key", bound=Hashable)


class Resyncs(Generic[Key]):
    """The time of each key within the interval."""

    def __init__(self, interval: float, draw: Callable[[], float] = random.random) -> None:
        """Start with no key.

        Args:
            interval: seconds.
            draw: a number from 0 to 1, another one each time.

        """
        self._interval = interval
        self._draw = draw
        self._phases: dict[Key, float] = {}

    def after(self, key: Key) -> float:
        """Return the seconds from now until a key's next resync."""
        phase = self._phases.setdefault(key, self._draw() * self._interval)
        until = (phase - asyncio.get_running_loop().time()) % self._interval
        return until + self._draw() * JITTER * self._interval

    def forget(self, key: Key) -> None:
        """Forget a key that is gone."""
        self._phases.pop(key, None)
