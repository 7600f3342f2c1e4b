"""Creating, reading and listing orders: the rules, and which coalescer carries what.

Each kind of call has a coalescer of its own, so that a slow page never delays an order. A read
never joins a batch that is already on its way, so it sees every order answered before it.
"""

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from orders.coalesce import Coalescer
from orders.errors import DeadlineExceeded, IdempotencyKeyReused, OrderNotFound
from orders.model import IdSource, NewOrder, Order, instant
from orders.store.inserts import KeyWithoutOrder, NewRow
from orders.store.lanes import Page, PageQuery
from orders.telemetry.context import current

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders.batch import Lane, Waiter
    from orders.config import Config
    from orders.store.store import Store
    from orders.telemetry.context import TraceContext
    from orders.telemetry.metrics import Metrics

__all__ = ["KeyWithoutOrder", "OrderService", "Page"]

OVERLAP: Final = 64
"""Calls with which a second batch goes out at once beside one in flight: larger ones cost less."""

_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.2

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class OrderService:
    """What the service does, without HTTP."""

    def __init__(self, store: "Store", config: "Config", metrics: "Metrics") -> None:
        """Put a coalescer before each kind of lane."""
        self._loop = asyncio.get_running_loop()
        self._timeout = config.request_timeout
        self._ids = IdSource()
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
        """Return the committed order, and whether it is an earlier one with the same key.

        Raises:
            IdempotencyKeyReused: the earlier one differs.
            OrderMissing: the earlier one was deleted by hand.
            Unavailable: nothing is known of the order, or nothing was tried.

        """
        deadline = self._loop.time() + self._timeout
        row = self.new_row(new, key)
        stored = await self._creates.submit(row, _link())
        if isinstance(stored, KeyWithoutOrder):
            stored = await self._ask_again(row, stored, deadline)
        return self.outcome(row, stored)

    def new_row(self, new: NewOrder, key: str | None) -> NewRow:
        """Return the row of a new order, with an id that no other has."""
        order_id, ms = self._ids.next()
        return NewRow(order_id, new.item, new.quantity, ms, key)

    def insert(self, waiter: "Waiter") -> None:
        """Insert the row that a waiter has; `outcome` says what the answer means.

        Raises:
            Unavailable: nothing was tried; at once.

        """
        self._creates.add(waiter)

    def outcome(self, row: NewRow, stored: Order | None) -> tuple[Order, bool]:
        """Return the committed order, and whether it is an earlier one with the same key.

        Raises:
            IdempotencyKeyReused: the earlier one differs.

        """
        if stored is None:
            return Order(row.id, row.item, row.quantity, instant(row.ms)), False
        if (stored.item, stored.quantity) != (row.item, row.quantity):
            msg = f"order {stored.id} was created with this key and another payload"
            raise IdempotencyKeyReused(msg)
        self._metrics.replayed()
        return stored, True

    def ask_again(self, waiter: "Waiter", key: KeyWithoutOrder) -> None:
        """Tell a waiter later, when the order that its row's key has is there."""

        async def tell() -> None:
            try:
                stored = await self._ask_again(waiter.item, key, waiter.deadline)
            except Exception as error:  # noqa: BLE001  the waiter tells what it is
                waiter.fail(error)
            else:
                waiter.settle(stored)

        task = self._loop.create_task(tell())
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask_again(self, row: NewRow, key: KeyWithoutOrder, deadline: float) -> Order | None:
        """Send a row again until the order that its key has is there, or the deadline has passed.

        A distributed database may show a key before its order. A row may be sent any number of
        times; one that is sent again is confirmed like any other.
        """
        pause = _FIRST_PAUSE
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)
                    stored = await self._creates.submit(row, _link())
                    if not isinstance(stored, KeyWithoutOrder):
                        return stored
        except TimeoutError:
            msg = f"order {key.id}, which has this key, is not there yet"
            raise DeadlineExceeded(msg) from None

    async def create_many(self, news: "Sequence[NewOrder]") -> list[Order]:
        """Return the committed orders, in the order of `news`: all of them, or none."""
        rows = [
            NewRow(i, new.item, new.quantity, ms, None)
            for new in news
            for i, ms in [self._ids.next()]
        ]
        await self._bulks.submit(rows, _link())
        return [Order(row.id, row.item, row.quantity, instant(row.ms)) for row in rows]

    async def commit(self) -> None:
        """Return once a commit of nothing is through, which waits for standbys as an order does.

        Raises:
            Unavailable: it was not in time, or was not tried.

        """
        await self._bulks.submit([])

    async def get(self, order_id: str) -> Order:
        """Return the order with this id, a canonical UUID.

        Raises:
            OrderNotFound: no order has it.

        """
        return existing(order_id, await self._reads.submit(order_id, _link()))

    def read(self, waiter: "Waiter") -> None:
        """Read the order whose id a waiter has; `existing` says what the answer means.

        Raises:
            Unavailable: nothing was tried; at once.

        """
        self._reads.add(waiter)

    async def page(self, limit: int, after: str | None = None, before: str | None = None) -> Page:
        """Return up to `limit` orders older than `after` or newer than `before`, newest first."""
        return await self._pages.submit(PageQuery(limit, after, before), _link())

    async def drain(self) -> None:
        """Return when every batch is through."""
        await self._creates.drain()
        await self._reads.drain()
        await self._bulks.drain()
        await self._pages.drain()


def existing(order_id: str, stored: Order | None) -> Order:
    """Return what a read found.

    Raises:
        OrderNotFound: no order has this id.

    """
    if stored is None:
        raise OrderNotFound(f"no order has the id {order_id}")
    return stored


def _link() -> "TraceContext | None":
    """Return the caller's trace if it is recorded: the batch's span links to it."""
    context = current.get()
    return context if context is not None and context.sampled else None
