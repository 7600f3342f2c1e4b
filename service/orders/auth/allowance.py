"""Limits the share of the event loop's time that checking signatures may take."""

from time import perf_counter, thread_time
from typing import Final

SHARE: Final = 0.1
_MOST: Final = 0.1
"""The most seconds that may be spent at once: the share of one second."""


class Allowance:
    """A share of the time: it fills up as time passes, and work spends it."""

    def __init__(self) -> None:
        self._left = _MOST
        self._at = perf_counter()
        self._began = 0.0

    def begin(self) -> bool:
        """Begin to spend; return whether any allowance is left."""
        now = perf_counter()
        self._left = min(_MOST, self._left + (now - self._at) * SHARE)
        self._at = now
        self._began = thread_time()
        return self._left > 0

    def end(self) -> None:
        """Subtract what was spent: this thread's own time, not that of other threads."""
        self._left -= thread_time() - self._began
