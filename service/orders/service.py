"""Creating, reading and listing orders: the rules, and which coalescer carries what.

Each kind of call has a coalescer of its own, so that a slow page never delays an order. A read
never joins a batch that is already on its way, so it sees every order answered before it.
"""

import asyncio
from contextvars import ContextVar
from time import perf_counter
from typing import TYPE_CHECKING, Final, TypeVar

from orders.coalesce import Coalescer
from orders.errors import DeadlineExceeded, IdempotencyKeyReused, OrderNotFound
from orders.model import Filter, NewOrder, Order, check_storable, compared, values
from orders.store.bulk_inserts import Bulk
from orders.store.inserts import KeyWithoutOrder, NewRow
from orders.store.lanes import Page, PageQuery
from orders.telemetry.context import TraceContext, current
from orders.uuid7 import FIRST_ID, LAST_ID, first_id, instant, last_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders.batch import Lane, Waiter
    from orders.config import Config
    from orders.store.store import Store
    from orders.telemetry.metrics import Metrics

__all__ = ["KeyWithoutOrder", "NewRow", "OrderService", "Page", "begun", "owner"]

begun: Final[ContextVar[float]] = ContextVar("begun")
"""When the running task's request began, by time.perf_counter(); its deadline follows from it."""

owner: Final[ContextVar[str]] = ContextVar("owner", default="")
"""The subject that owns the running task's Idempotency-Keys; empty without authentication."""

OVERLAP: Final = 64
"""Waiting calls that send a second batch out beside one in flight; larger batches cost less."""

_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.2

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class OrderService:
    """The operations on orders, without HTTP."""

    def __init__(self, store: "Store", config: "Config", metrics: "Metrics") -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = config.request_timeout
        self._metrics = metrics
        self._asking: set[asyncio.Task[None]] = set()

        def before(
            lanes: "Sequence[Lane[ItemT, ResultT]]",
            operation: str,
            batch_limit: int = config.batch_limit,
        ) -> Coalescer[ItemT, ResultT]:
            coalescer = Coalescer(
                lanes,
                timeout=config.request_timeout,
                batch_limit=batch_limit,
                queue_limit=config.queue_limit,
                overlap=OVERLAP if batch_limit > 1 else 1,
                on_retry=lambda: metrics.retried(operation),
            )
            metrics.watch_queue(operation, lambda: coalescer.depth)
            return coalescer

        self._creates = before(store.insert, "insert")
        self._reads = before(store.select, "select")
        self._bulks = before(store.insert_many, "insert_many", batch_limit=1)
        self._pages = before(store.page, "list", batch_limit=1)

    async def create(self, new: NewOrder, key: str | None = None) -> tuple[Order, bool]:
        """Create an order; return it, committed, and whether it is an earlier one with this key.

        Raises:
            InvalidRequest: it cannot be stored.
            IdempotencyKeyReused: the earlier one differs.
            OrderMissing: the earlier one was deleted by hand.
            Unavailable: nothing is known of the order, or nothing was tried.

        """
        check_storable(new)
        deadline = self.deadline()
        row = NewRow(new, key, owner.get())
        stored = await self._creates.submit(row, _link(), deadline)
        if isinstance(stored, KeyWithoutOrder):
            stored = await self._ask_again(self._creates, row, deadline)
        return self.outcome(row, stored)

    def insert(self, waiter: "Waiter", started: float) -> None:
        """Insert a waiter's row, whose order can be stored; `outcome` interprets the answer.

        Args:
            waiter: is settled or failed by its deadline.
            started: when its request began, by time.perf_counter().

        Raises:
            Unavailable: at once; nothing was tried.

        """
        waiter.deadline = self.deadline(started)
        self._creates.add(waiter)

    def outcome(self, row: NewRow, stored: Order | None) -> tuple[Order, bool]:
        """Return the committed order, and whether it is an earlier one with the same key.

        Raises:
            IdempotencyKeyReused: the earlier one differs.

        """
        if stored is None:
            return made(row), False
        self._replay([row], [stored])
        return stored, True

    def ask_again(self, waiter: "Waiter") -> None:
        """Answer a waiter later, once the order of its row's key is visible."""

        async def tell() -> None:
            try:
                stored = await self._ask_again(self._creates, waiter.item, waiter.deadline)
            except Exception as error:  # noqa: BLE001  the waiter reports it
                waiter.fail(error)
            else:
                waiter.settle(stored)

        task = self._loop.create_task(tell())
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask_again(
        self,
        coalescer: "Coalescer[ItemT, ResultT | KeyWithoutOrder]",
        item: ItemT,
        deadline: float,
    ) -> ResultT:
        """Send an item again until the orders of its key are visible or the deadline passes.

        A distributed database may show a key before its orders. A row may be sent any number of
        times, and is confirmed each time like any other.
        """
        pause = _FIRST_PAUSE
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)
                    stored = await coalescer.submit(item, _link(), deadline)
                    if not isinstance(stored, KeyWithoutOrder):
                        return stored
        except TimeoutError:
            raise DeadlineExceeded("the order of this key is still being created") from None

    async def create_many(
        self, news: "Sequence[NewOrder]", key: str | None = None
    ) -> "tuple[Sequence[Order], bool]":
        """Create orders; return them, committed, and whether they are earlier ones with this key.

        All of them are created, or none. They are returned in the order of `news`.

        Raises:
            InvalidRequest: one of them cannot be stored.
            IdempotencyKeyReused: the earlier ones differ.
            OrderMissing: one of them was deleted by hand.
            Unavailable: nothing is known of the orders, or nothing was tried.

        """
        for index, new in enumerate(news):
            check_storable(new, f"/{index}")
        deadline = self.deadline()
        rows = [NewRow(new) for new in news]
        bulk = Bulk(rows, key, owner.get())
        stored = await self._bulks.submit(bulk, _link(), deadline)
        if isinstance(stored, KeyWithoutOrder):
            stored = await self._ask_again(self._bulks, bulk, deadline)
        if stored is None:
            return [made(row) for row in rows], False
        self._replay(rows, stored)
        return stored, True

    def _replay(self, rows: "Sequence[NewRow]", stored: "Sequence[Order]") -> None:
        """Count a replay; raise IdempotencyKeyReused if the stored orders differ."""
        if [compared(row.new) for row in rows] != [compared(order) for order in stored]:
            raise IdempotencyKeyReused
        self._metrics.replayed()

    async def commit(self) -> None:
        """Commit without an order; the commit waits for standbys as that of an order does.

        Raises:
            Unavailable: the commit did not finish in time, or was not tried.

        """
        await self._bulks.submit(Bulk((), None))

    async def get(self, order_id: str) -> Order:
        """Return the order with this id, a canonical UUID.

        Raises:
            OrderNotFound: no order has it.

        """
        return existing(order_id, await self._reads.submit(order_id, _link(), self.deadline()))

    async def get_many(self, order_ids: "Sequence[str]") -> list[Order]:
        """Return the orders that exist, in the order of `order_ids`, which are canonical UUIDs.

        Each is a read like any other and shares its batch with other callers' reads.
        """
        link, deadline = _link(), self.deadline()
        reads: list[asyncio.Future[Order | None]] = []
        try:
            for order_id in order_ids:
                reads.append(self._reads.submit(order_id, link, deadline))
                link = None  # the trace is linked once, not once per read
            stored = await asyncio.gather(*reads)
        except BaseException:
            for read in reads:
                read.cancel()
            raise
        return [order for order in stored if order is not None]

    def read(self, waiter: "Waiter", started: float) -> None:
        """Read the order with a waiter's id; `existing` interprets the answer.

        Args:
            waiter: is settled or failed by its deadline.
            started: when its request began, by time.perf_counter().

        Raises:
            Unavailable: at once; nothing was tried.

        """
        waiter.deadline = self.deadline(started)
        self._reads.add(waiter)

    def deadline(self, started: float | None = None) -> float:
        """Return a request's deadline as a loop time: `REQUEST_TIMEOUT` after it began.

        Args:
            started: when it began, by time.perf_counter(); by default the task's `begun`, or now.

        """
        now = perf_counter()
        if started is None:
            started = begun.get(now)
        return self._loop.time() + self._timeout - (now - started)

    async def page(
        self, limit: int, after: str | None, before: str | None, wanted: "Filter"
    ) -> Page:
        """Return up to `limit` orders older than `after` or newer than `before`, newest first."""
        query = PageQuery(
            limit,
            after,
            before,
            above=FIRST_ID if wanted.since is None else last_id(wanted.since),
            below=LAST_ID if wanted.until is None else first_id(wanted.until),
            item=wanted.item,
        )
        return await self._pages.submit(query, _link(), self.deadline())

    async def give_up(self) -> None:
        """Fail every call that waits, because the service stops, and cancel every batch."""
        for coalescer in (self._creates, self._reads, self._bulks, self._pages):
            await coalescer.give_up()

    async def drain(self) -> None:
        """Return when every batch has ended."""
        for coalescer in (self._creates, self._reads, self._bulks, self._pages):
            await coalescer.drain()


def made(row: NewRow) -> Order:
    """Return the order that was made of a row."""
    return Order(row.id, *values(row.new), instant(row.ms))


def existing(order_id: str, stored: Order | None) -> Order:
    """Return what a read found.

    Raises:
        OrderNotFound: no order has this id.

    """
    if stored is None:
        raise OrderNotFound.of(order_id)
    return stored


def _link() -> "TraceContext | None":
    """Return the caller's trace if it is recorded: the batch's span links to it."""
    context = current.get()
    return context if context is not None and context.sampled else None
