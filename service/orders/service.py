"""Creating, reading and listing orders: the rules, and which coalescer carries what.

Each kind of call has a coalescer of its own, so that a slow page never delays an order. A read
never joins a batch that is already on its way, so it sees every order answered before it.
"""

from typing import TYPE_CHECKING, NamedTuple

from orders.coalesce import Coalescer
from orders.errors import IdempotencyKeyReused, OrderNotFound
from orders.model import IdSource, NewOrder, Order, instant
from orders.store.lanes import NewRow, PageQuery
from orders.telemetry.context import current

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders.config import Config
    from orders.store.lanes import PageRows, StoredRow
    from orders.store.store import Store
    from orders.telemetry.context import TraceContext
    from orders.telemetry.metrics import Metrics


class Page(NamedTuple):
    """Orders, newest first, and whether there are newer and older ones beyond them."""

    orders: list[Order]
    newer: bool
    older: bool


class OrderService:
    """What the service does, without HTTP."""

    def __init__(self, store: "Store", config: "Config", metrics: "Metrics") -> None:
        """Put a coalescer before each kind of lane."""
        self._ids = IdSource()
        self._metrics = metrics
        bounds = {"timeout": config.request_timeout, "queue_limit": config.queue_limit}
        self._creates: Coalescer[NewRow, StoredRow | None] = Coalescer(
            store.insert,
            batch_limit=config.batch_limit,
            overlap=OVERLAP,
            on_retry=lambda: metrics.retried("insert"),
            **bounds,
        )
        self._reads: Coalescer[str, StoredRow | None] = Coalescer(
            store.select,
            batch_limit=config.batch_limit,
            overlap=OVERLAP,
            on_retry=lambda: metrics.retried("select"),
            **bounds,
        )
        self._bulks: Coalescer[Sequence[NewRow], None] = Coalescer(
            store.insert_many,
            batch_limit=1,
            on_retry=lambda: metrics.retried("insert_many"),
            **bounds,
        )
        self._pages: Coalescer[PageQuery, PageRows] = Coalescer(
            store.page, batch_limit=1, on_retry=lambda: metrics.retried("list"), **bounds
        )
        self._coalescers = {
            "insert": self._creates,
            "select": self._reads,
            "insert_many": self._bulks,
            "list": self._pages,
        }
        for operation, coalescer in self._coalescers.items():
            metrics.watch_queue(operation, lambda coalescer=coalescer: coalescer.depth)

    async def create(self, new: NewOrder, key: str | None = None) -> tuple[Order, bool]:
        """
        Return the committed order, and whether it is an earlier one with the same key.

        Raises:
            IdempotencyKeyReused: the earlier one differs.
            Unavailable: nothing is known of the order, or nothing was tried.

        """
        order_id, ms = self._ids.next()
        row = NewRow(order_id, new.item, new.quantity, ms, key)
        stored = await self._creates.submit(row, _link())
        if stored is None:
            self._metrics.created(1)
            return Order(order_id, new.item, new.quantity, instant(ms)), False
        if (stored.item, stored.quantity) != (new.item, new.quantity):
            msg = f"order {stored.id} was created with this key and another payload"
            raise IdempotencyKeyReused(msg)
        self._metrics.replayed()
        return Order(*stored), True

    async def create_many(self, news: "Sequence[NewOrder]") -> list[Order]:
        """Return the committed orders, in the order of `news`: all of them, or none."""
        rows = [NewRow(i, new.item, new.quantity, ms, None) for new in news for i, ms in [self._ids.next()]]
        await self._bulks.submit(rows, _link())
        self._metrics.created(len(rows))
        return [Order(row.id, row.item, row.quantity, instant(row.ms)) for row in rows]

    async def get(self, order_id: str) -> Order:
        """
        Return the order with this id, a canonical UUID.

        Raises:
            OrderNotFound: no order has it.

        """
        stored = await self._reads.submit(order_id, _link())
        if stored is None:
            raise OrderNotFound(f"no order has the id {order_id}")
        return Order(*stored)

    async def page(self, limit: int, after: str | None = None, before: str | None = None) -> Page:
        """Return up to `limit` orders older than `after` or newer than `before`, newest first."""
        found = await self._pages.submit(PageQuery(limit, after, before), _link())
        return Page([Order(*row) for row in found.rows], found.newer, found.older)

    async def drain(self) -> None:
        """Return when every batch is through."""
        for coalescer in self._coalescers.values():
            await coalescer.drain()


OVERLAP = 64
"""A second batch goes out beside one in flight with this many: below, one bigger batch costs less."""


def _link() -> "TraceContext | None":
    """Return the caller's trace if it is recorded: the batch's span links to it."""
    context = current.get()
    return context if context is not None and context.sampled else None
