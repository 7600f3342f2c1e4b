"""Gives orders their ids when they are first sent; orders that are sent again keep theirs.

The ids of a process rise, and begin above the newest stored id, so that orders stay in order
across a restart even if the clock went back. An id more than `AHEAD` in the future comes from a
wrong clock and would date every later order, so it is ignored.
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
        self._source = IdSource()
        self._above_stored = False

    async def give(self, fetch: Fetch, rows: Iterable[NewRow]) -> None:
        """Give an id to each row that has none; if `fetch` raises, no row gets one."""
        if not self._above_stored:
            for newest, *_ in await fetch(statements.OLDER, [id_at(AHEAD), FIRST_ID, 1]):
                self._source.rise_above(newest)
            self._above_stored = True
        following = self._source.next
        for row in rows:
            if not row.id:
                row.id, row.ms = following()
