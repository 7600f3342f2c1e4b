"""How long a batch waits for company, behind one that has just landed.

Whoever was answered by a batch of many is about to call again, and larger batches cost less. So
the next batch waits for a share of as many callers, a moment at most; few never wait.
"""

import asyncio
from collections.abc import Callable
from typing import Final

_COMPANY: Final = 12
"""Callers, in the batch that landed and behind it, from which on the next one waits for some."""
_SHARE: Final = 0.6
"""The share of them that it waits for,"""
_SECONDS: Final = 0.001
"""and for how long at most."""


class Gathering:
    """Whether the next batch of one coalescer waits for company."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, limit: int, on_end: Callable[[], None]
    ) -> None:
        """Wait for nobody.

        Args:
            loop: has the timer.
            limit: callers in one batch, at most.
            on_end: called when enough was waited.

        """
        self._loop = loop
        self._limit = limit
        self._on_end = on_end
        self._wanted = 0
        self._timer: asyncio.TimerHandle | None = None

    def landed(self, company: int) -> None:
        """Begin, behind a batch that was answered; `company` is it and those who wait."""
        self._wanted = min(int(company * _SHARE), self._limit) if company >= _COMPANY else 0

    def goes_on(self, waiting: int) -> bool:
        """Whether so many callers are to wait for more; then `on_end` is called in time."""
        if waiting >= self._wanted:
            return False
        if self._timer is None:
            self._timer = self._loop.call_later(_SECONDS, self._end)
        return True

    def stop(self) -> None:
        """Wait for nobody."""
        self._wanted = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        self.stop()
        self._on_end()
