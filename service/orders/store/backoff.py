"""Pauses between tries, which double and differ, so that clients do not come back all at once."""

import random
from typing import Final

_FIRST: Final = 0.05
_LONGEST: Final = 1.0
_LEAST: Final = 0.5  # share of a pause that is waited in any case


class Backoff:
    """The pause before the next try: none, then 50 ms, then twice the last one up to a second."""

    def __init__(self) -> None:
        """Begin without a pause."""
        self._next = 0.0

    def pause(self) -> float:
        """Return the seconds to wait before the next try; chance leaves out up to half of them."""
        pause, self._next = self._next, min(max(_FIRST, self._next * 2), _LONGEST)
        return pause * random.uniform(_LEAST, 1.0)  # noqa: S311  no secret

    def reset(self) -> None:
        """Begin anew: something worked."""
        self._next = 0.0
