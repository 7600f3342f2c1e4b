"""The lanes on which batches travel: one held connection each, measured and traced.

A lane runs one kind of batch: it takes items, sends one statement (more if not all orders were
new), and answers every item in order.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, NamedTuple, TypeVar

from orders.batch import HUNG, ConnectionLost
from orders.model import Order
from orders.store import statements
from orders.store.bulk_inserts import Bulk, BulkAnswer, insert_bulk, settle_bulk
from orders.store.connections import HeldConnection
from orders.store.inserts import Answer, KeyWithoutOrder, NewRow, insert, read_orders, settle
from orders.store.order_ids import OrderIds
from orders.store.refusals import Cause, RefusalLog, find_cause, problem_of
from orders.store.session import Statement, StatementRefused
from orders.uuid7 import FIRST_ID, LAST_ID

if TYPE_CHECKING:
    from orders.store.writes import Writes
    from orders.telemetry.context import TraceContext
    from orders.telemetry.metrics import Metrics
    from orders.telemetry.tracing import Tracing

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

TIMEOUT: Final = "timeout"
"""A batch that hung: it was not answered in time, or before its copy was."""
CANCELLED: Final = "cancelled"
"""A batch that was given up because the process ends."""
_RACES: Final = 5
"""How often to retry a batch that may have lost a race, at an isolation level that has races."""


class PageQuery(NamedTuple):
    """Up to `limit` orders older than `after`, or newer than `before`, or the newest.

    Only orders with an id above `above` and below `below` count, and, if given, of `item`.
    """

    limit: int
    after: str | None = None
    before: str | None = None
    above: str = FIRST_ID
    below: str = LAST_ID
    item: str | None = None


class Page(NamedTuple):
    """Orders, newest first, and whether there are newer and older ones beyond them."""

    orders: list[Order]
    newer: bool
    older: bool


class _Lane(Generic[ItemT, ResultT]):
    """The work that every lane does around its statement."""

    operation: ClassVar[str]
    warm_up: ClassVar[Sequence[Statement]]
    """The statements that its connection prepares, with parameters that change nothing."""

    def __init__(
        self,
        connection: HeldConnection,
        metrics: "Metrics",
        tracing: "Tracing",
        refusals: RefusalLog,
        writes: "Writes | None" = None,
    ) -> None:
        self._connection = connection
        self._metrics = metrics
        self._tracing = tracing
        self._refusals = refusals
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
        try:
            answers = await self._recorded(items, links)
        except StatementRefused as refusal:
            if self._writes is not None:
                self._writes.refused()
            return await self._refused(items, links, refusal)
        if self._writes is not None and self._writes.doubted:
            self._writes.worked()
        return answers

    async def _refused(
        self, items: Sequence[ItemT], links: "Sequence[TraceContext]", refusal: StatementRefused
    ) -> Sequence[ResultT | Exception]:
        """Retry if another transaction may be at fault; otherwise answer, or raise.

        Raises:
            ConnectionLost: the connection was replaced, because its plans are out of date.
            StatementRefused: one of several items is at fault; the coalescer finds it.

        """
        cause = await find_cause(self._connection, self.warm_up, refusal)
        for _ in range(_RACES if cause is Cause.RACE else 0):
            try:
                return await self._recorded(items, links)
            except StatementRefused as another:
                refusal = another
        if cause is Cause.PLAN:
            self._connection.renew_plans()
            raise ConnectionLost
        if cause is not Cause.DATABASE and len(items) > 1:
            raise refusal
        self._refusals.tell(str(refusal), len(items))
        return [problem_of(cause, refusal) for _ in items]

    async def _recorded(
        self, items: Sequence[ItemT], links: "Sequence[TraceContext]"
    ) -> Sequence[ResultT | Exception]:
        """Execute and record a batch; anything that cut it short is recorded as an error."""
        started = time.perf_counter()
        server = self._connection.server if links else None
        error: str | None = None
        try:
            return await self._execute(items)
        except BaseException as ended:
            error = _name(ended)
            raise
        finally:
            seconds = time.perf_counter() - started
            self._metrics.batch(self.operation, len(items), seconds, error)
            if links:
                self._tracing.batch(
                    self.operation, len(items), started, seconds, error, links, server
                )

    async def _execute(self, items: Sequence[ItemT]) -> Sequence[ResultT | Exception]:
        raise NotImplementedError


class _InsertingLane(_Lane[ItemT, ResultT]):
    """A lane that gives ids to orders."""

    def __init__(  # noqa: PLR0913  one fact each
        self,
        connection: HeldConnection,
        metrics: "Metrics",
        tracing: "Tracing",
        refusals: RefusalLog,
        writes: "Writes",
        ids: OrderIds,
    ) -> None:
        super().__init__(connection, metrics, tracing, refusals, writes)
        self._ids = ids


class InsertLane(_InsertingLane[NewRow, Order | KeyWithoutOrder | None]):
    """Inserts orders; answers None for one that is stored as sent, else the order its key has."""

    operation = "insert"
    warm_up = statements.WARM_WRITE

    async def _execute(self, items: Sequence[NewRow]) -> Sequence[Answer]:
        fetch = self._connection.fetch
        await self._ids.give(fetch, items)
        if await insert(fetch, items) == len(items):
            self._metrics.created(len(items))
            return [None] * len(items)
        answers = await settle(fetch, items, self._refusals)
        self._metrics.created(answers.count(None))
        return answers


class InsertManyLane(_InsertingLane[Bulk, BulkAnswer]):
    """Inserts one caller's orders in one statement: all or nothing.

    Without orders it still commits, and that commit waits for standbys like any other.
    """

    operation = "insert_many"
    warm_up = statements.WARM_BULK

    async def _execute(self, items: Sequence[Bulk]) -> Sequence[BulkAnswer]:
        return [await self._insert(bulk) for bulk in items]

    async def _insert(self, bulk: Bulk) -> BulkAnswer:
        fetch = self._connection.fetch
        if not bulk.rows:
            await fetch(statements.CONFIRM, [1])
            return None
        await self._ids.give(fetch, bulk.rows)
        answer = None
        if await insert_bulk(fetch, bulk) < len(bulk.rows):
            answer = await settle_bulk(fetch, bulk, self._refusals)
        if answer is None:
            self._metrics.created(len(bulk.rows))
        return answer


class SelectLane(_Lane[str, Order | None]):
    """Reads orders by id; answers None for an id that no order has."""

    operation = "select"
    warm_up = statements.WARM_READ

    async def _execute(self, items: Sequence[str]) -> Sequence[Order | None]:
        by_id = await read_orders(self._connection.fetch, list(items))
        return [by_id.get(order_id) for order_id in items]


class PageLane(_Lane[PageQuery, Page]):
    """Reads one page by keyset, so that every page costs the same, wherever it lies."""

    operation = "list"
    warm_up = statements.WARM_PAGE

    async def _execute(self, items: Sequence[PageQuery]) -> Sequence[Page]:
        return [await self._page(query) for query in items]

    async def _page(self, query: PageQuery) -> Page:
        extra = query.limit + 1
        if query.before is not None:
            orders = await self._newer(query, query.before, extra)
            rows, newer = orders[: query.limit][::-1], len(orders) == extra
            last = rows[-1].id if rows else query.before
            return Page(rows, newer, older=bool(await self._older(query, last, 1)))
        orders = await self._older(query, query.after or LAST_ID, extra)
        rows, older = orders[: query.limit], len(orders) == extra
        if query.after is None:
            return Page(rows, newer=False, older=older)
        first = rows[0].id if rows else query.after
        return Page(rows, newer=bool(await self._newer(query, first, 1)), older=older)

    async def _older(self, query: PageQuery, than: str, limit: int) -> list[Order]:
        between = [min(than, query.below), query.above, limit]
        return await self._found(statements.OLDER, statements.OLDER_OF_ITEM, between, query.item)

    async def _newer(self, query: PageQuery, than: str, limit: int) -> list[Order]:
        between = [max(than, query.above), query.below, limit]
        return await self._found(statements.NEWER, statements.NEWER_OF_ITEM, between, query.item)

    async def _found(
        self, statement: str, of_item: str, between: list[Any], item: str | None
    ) -> list[Order]:
        if item is None:
            rows = await self._connection.fetch(statement, between)
        else:
            rows = await self._connection.fetch(of_item, [*between, item])
        return [Order(*row) for row in rows]


def _name(ended: BaseException) -> str:
    """Return the name of an error for metrics and spans: a closed set, except for defects."""
    if isinstance(ended, asyncio.CancelledError):
        return TIMEOUT if ended.args == (HUNG,) else CANCELLED
    return getattr(ended, "name", type(ended).__name__)
