"""The lanes on which batches travel: one held connection each, measured and traced.

A lane runs one kind of batch: it is handed items, sends one statement (two when an idempotency key
was there before), and answers every item in order.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, NamedTuple, TypeVar

from orders.batch import ConnectionLost
from orders.model import Order
from orders.store import sql
from orders.store.connections import HeldConnection
from orders.store.session import Row, StatementRefused

if TYPE_CHECKING:
    from orders.store.writes import Writes
    from orders.telemetry.context import TraceContext
    from orders.telemetry.metrics import Metrics
    from orders.telemetry.tracing import Tracing

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class NewRow(NamedTuple):
    """An order on its way in; `ms` is the milliseconds since 1970 that its id carries."""

    id: str
    item: str
    quantity: int
    ms: int
    key: str | None


class PageQuery(NamedTuple):
    """Up to `limit` orders older than `after`, or newer than `before`, or the newest."""

    limit: int
    after: str | None
    before: str | None


class Page(NamedTuple):
    """Orders, newest first, and whether there are newer and older ones beyond them."""

    orders: list[Order]
    newer: bool
    older: bool


class _Lane(Generic[ItemT, ResultT]):
    """What every lane does around its statement."""

    operation: ClassVar[str]

    def __init__(
        self,
        connection: HeldConnection,
        metrics: "Metrics",
        tracing: "Tracing",
        writes: "Writes | None" = None,
    ) -> None:
        self._connection = connection
        self._metrics = metrics
        self._tracing = tracing
        self._writes = writes  # told what becomes of the batches, if they write

    async def ready(self) -> None:
        await self._connection.ready()

    @property
    def down_since(self) -> float | None:
        return self._connection.down_since

    async def at_work(self) -> bool | None:
        activity = await self._connection.activity()
        if activity is None:
            return None
        if self._writes is not None:
            self._writes.waits(activity)
        return activity.at_work

    def abandon(self) -> None:
        self._connection.abandon()

    async def run(
        self, items: Sequence[ItemT], links: "Sequence[TraceContext]"
    ) -> Sequence[ResultT | Exception]:
        started = time.perf_counter()
        error = None
        try:
            if links:
                with self._tracing.batch_span(self.operation, len(items), links):
                    answers = await self._execute(items)
            else:
                answers = await self._execute(items)
        except (ConnectionLost, StatementRefused) as failure:
            error = failure.name
            if self._writes is not None and isinstance(failure, StatementRefused):
                self._writes.refused()
            raise
        finally:
            self._metrics.batch(self.operation, len(items), time.perf_counter() - started, error)
        if self._writes is not None and self._writes.doubted:
            self._writes.worked()
        return answers

    async def _execute(self, items: Sequence[ItemT]) -> Sequence[ResultT | Exception]:
        raise NotImplementedError


class InsertLane(_Lane[NewRow, Order | None]):
    """Inserts orders; answers None for one that is stored as sent, else the order its key has.

    Rows go in by key: two batches that share keys then wait for one another in one order, and
    cannot deadlock.
    """

    operation = "insert"

    async def _execute(self, items: Sequence[NewRow]) -> Sequence[Order | Exception | None]:
        keyed = [row for row in items if row.key is not None]
        rows = sorted(items, key=lambda row: row.key or "") if keyed else items
        if await _insert(self._connection, rows) == len(items) or not keyed:
            self._metrics.created(len(items))
            return [None] * len(items)
        found = await self._connection.fetch(sql.SELECT_BY_KEY, [[row.key for row in keyed]])
        by_key = {key: Order(*stored) for key, *stored in found}
        settled = [None if row.key is None else _settle(row, by_key.get(row.key)) for row in items]
        self._metrics.created(settled.count(None))
        return settled


class InsertManyLane(_Lane[Sequence[NewRow], None]):
    """Inserts one caller's orders in one statement: all or nothing."""

    operation = "insert_many"

    async def _execute(self, items: Sequence[Sequence[NewRow]]) -> Sequence[None]:
        for rows in items:
            await _insert(self._connection, rows)
            self._metrics.created(len(rows))
        return [None] * len(items)


class SelectLane(_Lane[str, Order | None]):
    """Reads orders by id; answers None for an id that no order has."""

    operation = "select"

    async def _execute(self, items: Sequence[str]) -> Sequence[Order | None]:
        rows = await self._connection.fetch(sql.SELECT_BY_ID, [list(items)])
        by_id = {row[0]: Order(*row) for row in rows}
        return [by_id.get(order_id) for order_id in items]


class PageLane(_Lane[PageQuery, Page]):
    """Reads one page by keyset: its cost is that of the page, wherever it lies."""

    operation = "list"

    async def _execute(self, items: Sequence[PageQuery]) -> Sequence[Page]:
        return [await self._page(query) for query in items]

    async def _page(self, query: PageQuery) -> Page:
        fetch = self._connection.fetch
        extra = query.limit + 1
        if query.before is not None:
            found = _stored(await fetch(sql.NEWER, [query.before, extra]))
            rows, newer = found[: query.limit][::-1], len(found) == extra
            last = rows[-1].id if rows else query.before
            return Page(rows, newer, older=bool(await fetch(sql.OLDER, [last, 1])))
        found = _stored(await fetch(sql.OLDER, [query.after or sql.LAST_ID, extra]))
        rows, older = found[: query.limit], len(found) == extra
        if query.after is None:
            return Page(rows, newer=False, older=older)
        first = rows[0].id if rows else query.after
        return Page(rows, newer=bool(await fetch(sql.NEWER, [first, 1])), older=older)


async def _insert(connection: HeldConnection, rows: Sequence[NewRow]) -> int:
    """Insert in one statement, which is its own transaction; return how many were new."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    counted = await connection.fetch(sql.INSERT, columns)
    return int(counted[0][0])


def _settle(row: NewRow, stored: Order | None) -> Order | Exception | None:
    if stored is None:
        return StatementRefused(f"the order with the key of {row.id} was deleted meanwhile")
    return None if stored.id == row.id else stored


def _stored(rows: Sequence[Row]) -> list[Order]:
    return [Order(*row) for row in rows]
