"""What an endpoint declares, and what its declaration costs."""

import subprocess
import sys
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from msgspec import Struct

from orders.errors import ContentTooLarge, OrderNotFound
from orders.http.endpoint import DeclarationError, Header, Path, Query, Reply, endpoint
from orders.http.endpoints import ENDPOINTS
from orders.http.endpoints.orders import create_order, list_orders, read_order
from orders.model import NewOrder, Order, OrderId

if TYPE_CHECKING:
    from orders.auth.caller import Caller
    from orders.database import Database
    from orders.service import OrderService
    from orders.store.store import Store


def test_an_endpoint_says_what_it_takes() -> None:
    """The body, the headers and the part of the path are read off the signature."""
    assert NewOrder is create_order.body
    assert [("idempotency_key", "header", "Idempotency-Key")] == [
        (p.name, p.place, p.wire) for p in create_order.parameters
    ]
    assert read_order.body is None
    assert ("id_text", "path") == (read_order.parameters[0].name, read_order.parameters[0].place)
    filters = ["item", "created_after", "created_before", "ids"]
    assert ["limit", "after", "before", *filters] == [p.wire for p in list_orders.parameters]


def test_an_endpoint_says_what_it_gives() -> None:
    """Status, result and problems are part of the declaration."""
    assert (201, Order) == (create_order.status, create_order.result)
    assert ContentTooLarge in create_order.problems
    assert OrderNotFound in read_order.problems
    assert ContentTooLarge not in read_order.problems


def test_bodies_are_bounded() -> None:
    """One order may have 64 KiB, a batch 1 MiB."""
    limits = {e.path: e.body_limit for e in ENDPOINTS if e.body is not None}

    assert limits.items() >= {"/orders": 65_536, "/orders/batch": 1_048_576}.items()


async def test_an_endpoint_can_be_called() -> None:
    """A declared function is still called as it was written."""

    @endpoint("GET", "/", summary="Echo", requires="orders:read")
    async def echo(orders: "OrderService") -> Reply[Any]:
        """Say it back."""
        return Reply(orders)

    assert Reply("hello") == await echo("hello")


@pytest.mark.parametrize("module", ["endpoints", "problems", "negotiation", "validation"])
def test_the_declarations_import_no_framework(module: str) -> None:
    """What the hot path imports brings in neither Litestar nor the driver."""
    code = f"import sys, orders.http.{module}; print({{'litestar', 'psqlpy'}} & {{*sys.modules}})"

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert "set()" == done.stdout.strip()


def _declared(function: Any, path: str = "/orders/{id}/cancel") -> Any:
    return endpoint("POST", path, summary="Cancel", requires="orders:write")(function)


def test_an_endpoint_says_what_it_takes_beside_the_request() -> None:
    """The domain, the database and the caller are told by their types, in any order."""

    async def cancel(
        database: "Database", caller: "Caller", id_text: Annotated[OrderId, Path("id")]
    ) -> Order:
        """Cancel."""
        raise NotImplementedError

    declared = _declared(cancel)

    assert ("Database", "Caller") == declared.takes
    assert (None, Order, "orders") == (declared.body, declared.result, declared.tag)


async def _without_path(database: "Database") -> None:
    """Leave out a part of the path."""


async def _with_a_number(number: Annotated[int, Path("id")]) -> None:
    """Take a part of the path as a number."""


async def _with_an_unknown_type(id_text: Annotated[OrderId, Path("id")], store: "Store") -> None:
    """Take what there is not."""


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (_without_path, "/orders/{id}/cancel has the parts ['id'], the function takes []"),
        (_with_a_number, "_with_a_number(number) is a part of the path; allowed: str"),
        (_with_an_unknown_type, "_with_an_unknown_type(store: Store): allowed: OrderService"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(function: Any, told: str) -> None:
    """At once, by the function's name."""
    with pytest.raises(DeclarationError) as error:
        _declared(function)

    assert told in str(error.value)


class _Reason(Struct):
    """A body that a hot endpoint may have."""

    text: str


async def _with_all(
    caller: "Caller",
    id_text: Annotated[OrderId, Path("id")],
    body: _Reason,
    note: Annotated[str | None, Header("X-Note")] = None,
) -> None:
    """Take what a hot endpoint may take."""


async def _with_a_query(
    id_text: Annotated[OrderId, Path("id")], limit: Annotated[int, Query("limit")] = 1
) -> None:
    """Take a query parameter."""


async def _with_a_number_in_a_header(
    id_text: Annotated[OrderId, Path("id")], age: Annotated[int, Header("Age")]
) -> None:
    """Take a header that has to be converted."""


async def _with_a_list(id_text: Annotated[OrderId, Path("id")], body: list[_Reason]) -> None:
    """Take a body that is a list."""


async def _of_anything(id_text: Annotated[OrderId, Path("id")]) -> None:
    """Take the first part of the path."""


def _hot(function: Any, path: str = "/orders/{id}/cancel", **more: Any) -> Any:
    return endpoint("POST", path, summary="Cancel", requires="orders:write", hot=True, **more)(
        function
    )


def test_an_endpoint_is_cold_unless_it_says_otherwise() -> None:
    """One word makes it hot."""
    assert not _declared(_with_all).hot
    assert _hot(_with_all).hot


@pytest.mark.parametrize(
    ("function", "options", "told"),
    [
        (_with_a_query, {}, "the query parameter limit"),
        (_with_a_number_in_a_header, {}, "the header Age, which is int"),
        (_with_a_list, {}, "a body that is list["),
        (_with_all, {"body_limit": 65_537}, "a body of up to 65537 bytes"),
        (_of_anything, {"path": "/{id}"}, "a parameter as the first part of /{id}"),
    ],
)
def test_an_endpoint_of_another_shape_may_not_be_hot(
    function: Any, options: dict[str, Any], told: str
) -> None:
    """One error names the function, what it has, and what it may have."""
    with pytest.raises(DeclarationError) as error:
        _hot(function, **options)

    assert f"{function.__name__} is hot and has {told}" in str(error.value)
    assert "; a hot endpoint may have a path that begins with a literal part" in str(error.value)
