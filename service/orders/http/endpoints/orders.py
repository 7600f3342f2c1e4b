"""The operations on orders over HTTP.

Each function is its whole operation, on either path: it takes the order service and the request's
parts, and returns the answer. What it raises is one of `orders.errors`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from orders.auth.caller import READ, WRITE
from orders.errors import (
    IdempotencyKeyReused,
    InvalidRequest,
    MalformedIdempotencyKey,
    OrderMissing,
    OrderNotFound,
)
from orders.http import idempotency, paging
from orders.http.conditional import check_match, etag, matches
from orders.http.endpoint import Header, Path, Query, Reply, endpoint
from orders.http.validation import checked, invalid, order_id, timestamp
from orders.model import RESOURCE, Filter, Item, NewOrder, Order, OrderId

if TYPE_CHECKING:
    from orders.service import OrderService

BATCH_LIMIT: Final = 1_000
"""Orders that one batch may have."""

IDS_MAX: Final = 100
"""Orders that may be read by their ids at once."""
_ID: Final = "[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"

Batch = Annotated[
    list[NewOrder],
    Meta(min_length=1, max_length=BATCH_LIMIT, description="1 to 1,000 orders."),
]
Time = Annotated[
    str,
    Meta(examples=["2026-01-31T08:15:30Z"], extra_json_schema={"format": "date-time"}),
]
IdempotencyKey = Annotated[
    str | None,
    Header("Idempotency-Key"),
    Meta(
        description=(
            "Makes the request safe to send again: the same key with the same payload always "
            "gets the same answer. A quoted string (RFC 9651) of 1 to 255 printable ASCII "
            "characters; the quotes may be left out if there are no spaces or commas."
        ),
        examples=['"8e03978e-40d5-43dd-bc93-6894a57f9324"'],
        extra_json_schema={"pattern": idempotency.PATTERN},
    ),
]

_REPLAYED: Final = ("idempotency-replayed", "true")
PRIVATE: Final = ("cache-control", "private, no-cache")
"""For answers that are only for the caller, and may differ next time."""
_UNCHANGING: Final = (
    ("cache-control", "private, max-age=86400, immutable"),
    ("vary", "authorization, x-api-key"),
)
"""For an order: its caller may keep it, but only for a day, as a release may change its form."""


@endpoint(
    "POST",
    RESOURCE,
    status=201,
    summary="Create an order",
    requires=WRITE,
    raises=(MalformedIdempotencyKey, OrderMissing, IdempotencyKeyReused),
    sends=("Location", "Idempotency-Replayed", "Cache-Control"),
)
async def create_order(
    orders: "OrderService", body: NewOrder, idempotency_key: IdempotencyKey = None
) -> Reply[Order]:
    """Create an order and answer once it is committed.

    With an `Idempotency-Key`, a second request with the same key and payload gets the first one's
    order again, marked `Idempotency-Replayed: true`. The same key with another payload is refused.
    """
    key = None if idempotency_key is None else idempotency.parse(idempotency_key)
    return created(*await orders.create(body, key))


@endpoint(
    "POST",
    f"{RESOURCE}/batch",
    status=201,
    summary="Create many orders",
    requires=WRITE,
    raises=(MalformedIdempotencyKey, OrderMissing, IdempotencyKeyReused),
    sends=("Idempotency-Replayed", "Cache-Control"),
    body_limit=1024 * 1024,
)
async def create_orders(
    orders: "OrderService", body: Batch, idempotency_key: IdempotencyKey = None
) -> Reply[Sequence[Order]]:
    """Create all of the orders or none, and answer with them in the sequence they were sent.

    An `Idempotency-Key` belongs to all of them together: a second request with the same key and
    payload gets the first one's orders again, marked `Idempotency-Replayed: true`.
    """
    key = None if idempotency_key is None else idempotency.parse(idempotency_key)
    stored, replayed = await orders.create_many(body, key)
    return Reply(stored, (PRIVATE, _REPLAYED) if replayed else (PRIVATE,))


@endpoint(
    "GET",
    f"{RESOURCE}/{{id}}",
    summary="Read an order",
    requires=READ,
    raises=(OrderNotFound,),
    sends=("ETag", "Cache-Control"),
    also=(304,),
)
async def read_order(
    orders: "OrderService",
    id_text: Annotated[
        OrderId, Path("id"), Meta(description="A UUID of any version, in either case.")
    ],
    if_none_match: Annotated[
        str | None,
        Header("If-None-Match"),
        Meta(
            description="Entity tags that the caller has. If one is the order's, the answer is "
            "304, without a body."
        ),
    ] = None,
    if_match: Annotated[
        str | None,
        Header("If-Match"),
        Meta(
            description="Entity tags of which the order must have one. Otherwise, the answer is "
            "412."
        ),
    ] = None,
) -> Reply[Order]:
    """Find the order by its id.

    An order never changes, so its `ETag` stays valid, and its caller may cache it for a day.
    """
    return found(await orders.get(order_id(id_text, "#/path/id")), if_none_match, if_match)


@endpoint(
    "GET",
    RESOURCE,
    summary="List orders, newest first",
    requires=READ,
    sends=("Link", "Cache-Control"),
    also=(304,),
)
async def list_orders(  # noqa: PLR0913  each is a parameter of the request
    orders: "OrderService",
    limit: Annotated[
        int,
        Query("limit"),
        Meta(ge=1, le=paging.LIMIT_MAX, description="The maximum number of orders on a page."),
    ] = paging.LIMIT,
    after: Annotated[
        OrderId | None, Query("after"), Meta(description="Only orders older than this one.")
    ] = None,
    before: Annotated[
        OrderId | None, Query("before"), Meta(description="Only orders newer than this one.")
    ] = None,
    item: Annotated[
        Item | None, Query("item"), Meta(description="Only orders of exactly this item.")
    ] = None,
    created_after: Annotated[
        Time | None,
        Query("created_after"),
        Meta(description="Only orders created at this time (RFC 3339, with its zone) or later."),
    ] = None,
    created_before: Annotated[
        Time | None,
        Query("created_before"),
        Meta(description="Only orders created before this time (RFC 3339, with its zone)."),
    ] = None,
    ids: Annotated[
        str | None,
        Query("ids"),
        Meta(
            description="Only the orders with these ids: 1 to 100, separated by commas.",
            extra_json_schema={"pattern": f"^{_ID}(,{_ID}){{0,{IDS_MAX - 1}}}$"},
        ),
    ] = None,
) -> Reply[list[Order]]:
    """Page by id: a page costs the same wherever it is and whatever the list is filtered by.

    Follow the `Link` header: `next` leads to older orders, `prev` to newer ones, of the same
    filters. `after` and `before` are mutually exclusive. Spans of time that meet, one's
    `created_before` being the other's `created_after`, have no order in common and leave none out.

    With `ids` the answer is those of the orders that exist, each once, in the order of their ids
    in the request. One that no order has is left out and is no error. There are no pages, so
    `limit` has no effect, and no other parameter may be given.
    """
    if ids is not None:
        others = {"after": after, "before": before, "item": item}
        others |= {"created_after": created_after, "created_before": created_before}
        for name in (name for name, value in others.items() if value is not None):
            msg = f"ids and {name} are mutually exclusive"
            raise InvalidRequest(msg, errors=(("#/query/ids", msg), (f"#/query/{name}", msg)))
        return Reply(await orders.get_many(_ids(ids)), (PRIVATE,))
    if after is not None and before is not None:
        msg = "after and before are mutually exclusive"
        raise InvalidRequest(msg, errors=(("#/query/after", msg), ("#/query/before", msg)))
    page = await orders.page(
        limit,
        None if after is None else order_id(after, "#/query/after"),
        None if before is None else order_id(before, "#/query/before"),
        Filter(
            None if item is None else _item(item),
            _time(created_after, "created_after"),
            _time(created_before, "created_before"),
        ),
    )
    filters = {"item": item, "created_after": created_after, "created_before": created_before}
    link = paging.links(page, limit, filters)
    return Reply(page.orders, (PRIVATE, ("link", link)) if link else (PRIVATE,))


def created(order: Order, replayed: bool) -> Reply[Order]:  # noqa: FBT001  what `create` returns
    """Answer with an order that is committed, by this request or by an earlier one."""
    location = ("location", f"{RESOURCE}/{order.id}")
    return Reply(order, (location, PRIVATE, _REPLAYED) if replayed else (location, PRIVATE))


def found(order: Order, if_none_match: str | None, if_match: str | None) -> Reply[Order]:
    """Answer with an order, or with 304 if the caller has it.

    Raises:
        PreconditionFailed: If-Match names only other entity tags.

    """
    tag = etag(order.id)
    if if_match is not None:
        check_match(if_match, tag)
    headers = (("etag", tag), *_UNCHANGING)
    if if_none_match is not None and matches(if_none_match, tag):
        return Reply(None, headers, 304)
    return Reply(order, headers)


def _ids(text: str) -> list[str]:
    """Return the ids in a text, separated by commas, each once."""
    ids = text.split(",")
    if len(ids) > IDS_MAX:
        raise invalid("#/query/ids", f"has {len(ids)} ids; allowed: 1 to {IDS_MAX}")
    return list(dict.fromkeys(order_id(each, "#/query/ids") for each in ids))


def _item(text: str) -> str:
    """Return the item to filter by; one that no order can have is refused."""
    checked(text, Item, "#/query/item")
    if "\0" in text:
        raise invalid("#/query/item", "has a NUL character")
    return text


def _time(text: str | None, name: str) -> datetime | None:
    return None if text is None else timestamp(text, f"#/query/{name}")
