"""How long a batch waits for more callers after another one has landed.

Callers that a large batch answered are about to call again, and larger batches cost less. So the
next batch waits for a share of that many callers, a moment at most. A few callers never wait.
"""

import asyncio
from collections.abc import Callable
from typing import Final

_CALLERS: Final = 12
"""Callers, in the batch that landed and in the queue, from which on the next batch waits."""
_SHARE: Final = 0.6
"""The share of those callers that it waits for."""
_SECONDS: Final = 0.001
"""The longest wait."""


class Gathering:
    """Whether the next batch of one coalescer waits for more callers."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, limit: int, on_end: Callable[[], None]
    ) -> None:
        """Start without a wait.

        Args:
            loop: runs the timer.
            limit: the most callers in one batch.
            on_end: called when the longest wait is over.

        """
        self._loop = loop
        self._limit = limit
        self._on_end = on_end
        self._wanted = 0
        self._timer: asyncio.TimerHandle | None = None

    def landed(self, callers: int) -> None:
        """Begin after a batch has landed; `callers` counts its own and those in the queue."""
        self._wanted = min(int(callers * _SHARE), self._limit) if callers >= _CALLERS else 0

    def goes_on(self, waiting: int) -> bool:
        """Whether `waiting` callers wait for more; then `on_end` is called when time is up."""
        if waiting >= self._wanted:
            return False
        if self._timer is None:
            self._timer = self._loop.call_later(_SECONDS, self._end)
        return True

    def stop(self) -> None:
        """End the wait."""
        self._wanted = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        self.stop()
        self._on_end()
