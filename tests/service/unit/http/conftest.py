"""The HTTP layer over orders that are kept in a dict: no database, no server, no second reader."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from orders.errors import IdempotencyKeyReused, OrderNotFound
from orders.http.app import Application, create_app
from orders.model import Filter, NewOrder, Order, compared, values
from orders.service import Page
from orders.uuid7 import IdSource, instant
from tests.helpers.listener import Listener


class MemoryOrders:
    """Follows the contract of `OrderService`; `failure` is raised by every call when it is set."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.keys: dict[str, list[Order]] = {}
        self.failure: Exception | None = None
        self._ids = IdSource()

    async def create(self, new: NewOrder, key: str | None = None) -> tuple[Order, bool]:
        """Create one order, or find the one that has the key."""
        [order], replayed = await self.create_many([new], key)
        return order, replayed

    async def create_many(
        self, news: list[NewOrder], key: str | None = None
    ) -> tuple[list[Order], bool]:
        """Create all of them, or find those that have the key."""
        self._fail()
        if key in self.keys:
            earlier = self.keys[key]
            if [compared(order) for order in earlier] != [compared(new) for new in news]:
                raise IdempotencyKeyReused
            return earlier, True
        made = [(new, *self._ids.next()) for new in news]
        found = [Order(i, *values(new), instant(ms)) for new, i, ms in made]
        self.orders.update((order.id, order) for order in found)
        if key is not None:
            self.keys[key] = found
        return found, False

    async def get(self, order_id: str) -> Order:
        """Find one."""
        self._fail()
        if order_id not in self.orders:
            raise OrderNotFound.of(order_id)
        return self.orders[order_id]

    async def page(
        self, limit: int, after: str | None, before: str | None, wanted: Filter
    ) -> Page:
        """Cut a page out of those of an item, or all of them; spans of time are the store's."""
        self._fail()
        found = (it for it in self.orders.values() if wanted.item in {None, it.item})
        ids = sorted((it.id for it in found), reverse=True)
        if before is not None:
            chosen = [i for i in ids if i > before][-limit:]
        else:
            chosen = [i for i in ids if after is None or i < after][:limit]
        first = chosen[0] if chosen else after
        last = chosen[-1] if chosen else before
        return Page(
            [self.orders[i] for i in chosen],
            newer=any(first is not None and i > first for i in ids),
            older=any(last is not None and i < last for i in ids),
        )

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def orders() -> MemoryOrders:
    """Start with no orders."""
    return MemoryOrders()


@pytest.fixture
def app(orders: MemoryOrders) -> Application:
    """Make the cold application over them."""
    return create_app(orders)  # type: ignore[arg-type]


@pytest.fixture
async def client(app: Application) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of it."""
    transport: Any = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://orders.test") as found:
        yield found


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Listen."""
    with contextlib.closing(Listener()) as listening:
        yield listening
