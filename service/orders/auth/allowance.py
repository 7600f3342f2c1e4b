"""How much of the event loop the checking of signatures may take."""

from time import perf_counter, thread_time
from typing import Final

SHARE: Final = 0.1
_MOST: Final = 0.1
"""Seconds that may be spent at once, after a time in which none were: those of one second."""


class Allowance:
    """A share of the time, which fills up as it passes and is spent by what is done."""

    def __init__(self) -> None:
        """Have all of it."""
        self._left = _MOST
        self._at = perf_counter()
        self._began = 0.0

    def begin(self) -> bool:
        """Begin to spend; return whether there is something left."""
        now = perf_counter()
        self._left = min(_MOST, self._left + (now - self._at) * SHARE)
        self._at = now
        self._began = thread_time()
        return self._left > 0

    def end(self) -> None:
        """Take off what was spent: the thread's own time, not that in which others ran."""
        self._left -= thread_time() - self._began
