"""Two lanes of waiting keys: urgent keys go first, and the others still get their turn."""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

IN_A_ROW: Final = 8
"""How many urgent keys go in a row while others wait; then one of the others goes."""

Key = TypeVar("Key", bound=Hashable)


class Lanes(Generic[Key]):
    """Keys in the order in which they came, each of them once, in one of two lanes."""

    def __init__(self) -> None:
        self._urgent: dict[Key, None] = {}
        self._rest: dict[Key, None] = {}
        self._row = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._urgent) + len(self._rest)

    def add(self, key: Key, *, urgent: bool) -> None:
        """Add a key; one that already waits keeps its place, or becomes urgent."""
        if urgent:
            self._rest.pop(key, None)
            self._urgent.setdefault(key)
        elif key not in self._urgent:
            self._rest.setdefault(key)

    def take(self) -> tuple[Key, bool]:
        """Take the next key, and whether it was urgent.

        Raises:
            IndexError: none waits.

        """
        if not self:
            raise IndexError("no key is queued")
        urgent = bool(self._urgent) and not (self._rest and self._row >= IN_A_ROW)
        self._row = self._row + 1 if urgent and self._rest else 0
        lane = self._urgent if urgent else self._rest
        key = next(iter(lane))
        del lane[key]
        return key, urgent
