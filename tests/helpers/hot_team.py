"""A fork whose team has hot endpoints of its own, of every shape that they may have."""

from pathlib import Path
from typing import Final

from tests.helpers.fork import Fork, copied

TABLE: Final = "CREATE TABLE cancellations (order_id uuid PRIMARY KEY, reason text NOT NULL)"

_ENDPOINTS: Final = '''
"""A shop's endpoints."""

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from orders.auth.caller import READ, WRITE
from orders.errors import OrderNotFound
from orders.http.endpoint import Header, Path, Reply, endpoint
from orders.http.endpoints.orders import IdempotencyKey, created
from orders.http.idempotency import parse
from orders.http.validation import order_id
from orders.model import RESOURCE, Item, NewOrder, Order, OrderId, Quantity

if TYPE_CHECKING:
    from orders.auth.caller import Caller
    from orders.database import Database
    from orders.service import OrderService

Id = Annotated[OrderId, Path("id")]
Shop = Annotated[str, Path("shop"), Meta(examples=["corner"])]


class Wish(Struct):
    """What a shop orders; what else is in it does not matter."""

    item: Item
    quantity: Quantity = 1


class Cancellation(Struct):
    """A cancellation, as it was committed."""

    order_id: OrderId
    reason: str


@endpoint(
    "POST", "/shops/{shop}/orders", status=201, summary="Order", requires=WRITE, hot=True
)
async def order_in_shop(
    orders: "OrderService", shop: Shop, body: Wish, idempotency_key: IdempotencyKey = None
) -> Reply[Order]:
    """Create an order in a shop's name."""
    key = None if idempotency_key is None else parse(idempotency_key)
    new = NewOrder(f"{shop}: {body.item}"[:200], body.quantity)
    return created(*await orders.create(new, key))


@endpoint(
    "PUT",
    f"{RESOURCE}/{{id}}/cancel",
    status=202,
    summary="Cancel an order",
    requires=WRITE,
    raises=(OrderNotFound,),
    hot=True,
)
async def cancel_order(database: "Database", id_text: Id, body: Wish) -> Cancellation:
    """Note that an order is not wanted any more; the first reason stays."""
    order = order_id(id_text, "#/path/id")
    async with database.transaction() as transaction:
        await transaction.execute(
            "INSERT INTO cancellations (order_id, reason)"
            " SELECT id, $2::text FROM orders WHERE id = $1::text::uuid ON CONFLICT DO NOTHING",
            order,
            body.item,
        )
        rows = await transaction.fetch(
            "SELECT reason FROM cancellations WHERE order_id = $1::text::uuid", order
        )
    if not rows:
        raise OrderNotFound.of(order)
    return Cancellation(order, rows[0][0])


@endpoint("GET", f"{RESOURCE}/{{id}}/cancel", summary="Read it", requires=READ, hot=True)
async def read_cancellation(
    database: "Database",
    caller: "Caller",
    id_text: Id,
    note: Annotated[str | None, Header("X-Anything")] = None,
) -> Reply[dict[str, Any]]:
    """Read a cancellation, with who asks."""
    order = order_id(id_text, "#/path/id")
    rows = await database.fetch(
        "SELECT reason FROM cancellations WHERE order_id = $1::text::uuid", order
    )
    reasons = [reason for (reason,) in rows]
    told = {"reasons": reasons, "caller": caller.name, "note": note}
    return Reply(told, (("cache-control", "no-store"),))


@endpoint("DELETE", "/shops/{shop}", status=204, summary="Close", requires=WRITE, hot=True)
async def close_shop(shop: Shop) -> None:
    """Close a shop."""


@endpoint("POST", "/shops/{shop}/opening", status=202, summary="Open", requires=WRITE, hot=True)
async def open_shop(shop: Shop, why: Annotated[str, Header("X-Why")]) -> None:
    """Open a shop, for a reason."""


@endpoint(
    "PUT",
    "/shops/{shop}/motto",
    status=202,
    summary="Set it",
    requires=WRITE,
    body_limit=1_000,
    hot=True,
)
async def set_motto(shop: Shop, body: Wish) -> None:
    """Set a motto, which is short."""


@endpoint("GET", "/shops/{shop}/large", summary="Large", requires=READ, hot=True)
async def large(shop: Shop) -> list[str]:
    """Answer with more than a socket holds."""
    return [shop] * 50_000


@endpoint("GET", "/shops/{shop}/defect", summary="Fail", requires=READ, hot=True)
async def defect(shop: Shop) -> str:
    """Fail, as a defect does."""
    raise KeyError(shop)


@endpoint("GET", "/shops/{shop}/contradiction", summary="Fail", requires=READ, hot=True)
async def contradiction(shop: Shop) -> Reply[str]:
    """Answer with a body where there is none."""
    return Reply(shop, status=204)


@endpoint("GET", "/shops/{shop}/slow", summary="Wait", requires=READ, hot=True)
async def slow(database: "Database", shop: Shop) -> None:
    """Wait for the database."""
    await database.execute("SELECT pg_sleep($1::int)", 30)
'''


def hot_team(folder: Path) -> Fork:
    """Make the fork in a folder."""
    fork = copied(folder)
    place = fork.folder / "service" / "orders" / "http" / "endpoints" / "shop.py"
    place.write_text(_ENDPOINTS, encoding="utf-8")
    return fork
