"""What an order is: the one place where its fields are declared.

Everything that names fields follows from here, at import time: validation, JSON, the OpenAPI
document and its examples, statements and the decoding of rows, the comparison of payloads under
one Idempotency-Key, the check for NUL, the entity tag, and the tables of docs/api.md. A new field
is one more line in `NewOrder`, and a migration (docs/make-it-yours.md).
"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

from msgspec import Meta, Struct, defstruct, structs

from orders.columns import columns_of, nul_in, tuple_of, values_of
from orders.errors import InvalidRequest

RESOURCE: Final = "/orders"
"""The path of all orders; the path of one adds its id."""

Item = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        description="What is ordered: 1 to 200 characters, no NUL.",
        examples=["espresso beans, 1 kg"],
    ),
]
Quantity = Annotated[
    int, Meta(ge=1, le=1_000_000, description="How many: 1 to 1,000,000.", examples=[3])
]
OrderId = Annotated[
    str,
    Meta(
        description="UUIDv7; sorts by the time of creation.",
        examples=["0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d"],
        extra_json_schema={"format": "uuid"},
    ),
]
CreatedAt = Annotated[
    datetime,
    Meta(
        tz=True,
        description="When the order was created: RFC 3339, UTC, milliseconds.",
        examples=["2026-01-31T08:15:30.123000Z"],
    ),
]


class NewOrder(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """What a caller sends to order something."""

    item: Item
    quantity: Quantity


COLUMNS: Final = columns_of(NewOrder)
"""The columns that hold what a caller sent."""

if TYPE_CHECKING:

    class Order(NewOrder, frozen=True):
        """An order as it was committed. Orders never change."""

        id: OrderId
        created_at: CreatedAt

        def __init__(self, *row: Any) -> None:
            """Take the id, what was sent, and the time, in this order."""

else:
    # A row has every field, so none has a default: `Order(*row)`.
    Order = defstruct(
        "Order",
        [
            ("id", OrderId),
            *((field.name, field.type) for field in structs.fields(NewOrder)),
            ("created_at", CreatedAt),
        ],
        rename={column.field: column.wire for column in COLUMNS},
        frozen=True,
        gc=False,
        module=__name__,
        namespace={"__doc__": "An order as it was committed. Orders never change."},
    )


class Filter(NamedTuple):
    """Which orders to list: those of an item, created at or after a time and before another."""

    item: str | None = None
    since: datetime | None = None
    until: datetime | None = None


values: Final = values_of(COLUMNS)
"""Returns the fields that a caller sent, as `Order` takes them between its id and its time."""
compared: Final = tuple_of([column.field for column in COLUMNS if column.compared])
"""Returns the fields that have to be equal for two payloads to be the same."""
nul: Final = nul_in(COLUMNS)
"""Returns the JSON name of a field that contains a NUL, or None."""


def example() -> dict[str, Any]:
    """Return an example of what a caller may send, in JSON's types."""
    return {column.wire: column.example for column in COLUMNS}


def check_storable(new: NewOrder, pointer: str = "") -> None:
    """Check that an order, which is at `pointer` of a body, can be stored.

    Raises:
        InvalidRequest: a text has a NUL, which PostgreSQL cannot hold.

    """
    if field := nul(new):
        raise InvalidRequest.at(f"{pointer}/{field}", "has a NUL character")
