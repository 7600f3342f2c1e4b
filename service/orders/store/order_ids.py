"""Gives orders their ids, when they are sent for the first time; sent again, they keep them.

The ids of a process rise, and they begin above the newest one that is stored, so that orders stay
in order across a restart even where the clock went back. One that lies more than `AHEAD` in the
future is of a clock that was wrong, and would date every later order: it counts for nothing.
"""

from collections.abc import Iterable
from typing import Final

from orders.store import statements
from orders.store.inserts import NewRow
from orders.store.schema import Fetch
from orders.uuid7 import FIRST_ID, IdSource, id_at

AHEAD: Final = 60.0
"""Seconds."""


class OrderIds:
    """The ids of one process."""

    def __init__(self) -> None:
        """Know nothing of what is stored."""
        self._source = IdSource()
        self._above_stored = False

    async def give(self, fetch: Fetch, rows: Iterable[NewRow]) -> None:
        """Give an id to each row that has none; what `fetch` raises passes, and gives none."""
        if not self._above_stored:
            for newest, *_ in await fetch(statements.OLDER, [id_at(AHEAD), FIRST_ID, 1]):
                self._source.rise_above(newest)
            self._above_stored = True
        following = self._source.next
        for row in rows:
            if not row.id:
                row.id, row.ms = following()
