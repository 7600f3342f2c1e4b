"""Pauses between tries: they double, and vary so that clients do not all return at once."""

import random
from typing import Final

_FIRST: Final = 0.05
_LONGEST: Final = 1.0
_LEAST: Final = 0.5  # the least share of a pause that is waited


class Backoff:
    """The pause before the next try: none, then 50 ms, then twice the last one up to a second."""

    def __init__(self) -> None:
        self._next = 0.0

    def pause(self) -> float:
        """Return the seconds to wait before the next try, shortened at random by up to half."""
        pause, self._next = self._next, min(max(_FIRST, self._next * 2), _LONGEST)
        return pause * random.uniform(_LEAST, 1.0)  # noqa: S311  no secret

    def reset(self) -> None:
        """Start over, because something worked."""
        self._next = 0.0
