"""The API through Litestar, without a server."""

from typing import Any

import httpx
import pytest

from orders.http.conditional import etag
from tests.helpers.asgi_client import JSON, NOBODY, TEA, problem


async def test_an_order_is_created_and_read(client: httpx.AsyncClient) -> None:
    """A created order is found where Location says, with a tag."""
    created = await client.post("/orders", json=TEA)
    read = await client.get(created.headers["location"])

    assert (201, 200) == (created.status_code, read.status_code)
    assert TEA == {name: created.json()[name] for name in TEA}
    assert created.content == read.content
    assert etag(created.json()["id"]) == read.headers["etag"]
    assert "application/json" == read.headers["content-type"]


async def test_an_order_the_caller_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    """A tag that matches gets 304 with the tag and what caches need, in capitals too."""
    created = await client.post("/orders", json=TEA)
    read = await client.get(created.headers["location"])

    again = await client.get(
        f"/orders/{created.json()['id'].upper()}", headers={"if-none-match": read.headers["etag"]}
    )

    assert 304 == again.status_code
    assert {n: read.headers[n] for n in ("etag", "cache-control", "vary")} == dict(again.headers)
    assert b"" == again.content


async def test_an_order_may_be_kept_by_its_caller(client: httpx.AsyncClient) -> None:
    """A browser need not ask again; a proxy may not keep it, nor may another credential see it."""
    created = await client.post("/orders", json=TEA)
    read = await client.get(created.headers["location"])

    kept = set(read.headers["cache-control"].split(", "))
    assert {"private", "immutable", "max-age=86400"} == kept
    assert ["authorization", "x-api-key"] == read.headers["vary"].split(", ")
    assert "etag" in read.headers


async def test_what_may_be_another_next_time_is_not_kept(client: httpx.AsyncClient) -> None:
    """Pages of orders and what was created are asked for again, a failure too."""
    answers = [
        await client.get("/orders"),
        await client.get("/orders", headers={"if-none-match": "*"}),
        await client.post("/orders", json=TEA),
        await client.post("/orders/batch", json=[TEA]),
    ]
    refused = await client.get(f"/orders/{NOBODY}")

    assert [200, 304, 201, 201] == [answer.status_code for answer in answers]
    assert {"private, no-cache"} == {answer.headers["cache-control"] for answer in answers}
    assert (404, "no-store") == (refused.status_code, refused.headers["cache-control"])


async def test_a_key_makes_a_request_safe_to_repeat(client: httpx.AsyncClient) -> None:
    """The same key, quoted or not, gets the same body, marked; another payload is refused."""
    first = await client.post("/orders", json=TEA, headers={"idempotency-key": '"k"'})
    second = await client.post("/orders", json=TEA, headers={"idempotency-key": "k"})
    other = await client.post(
        "/orders", json={**TEA, "quantity": 4}, headers=[("idempotency-key", "k")]
    )

    assert first.content == second.content
    assert (201, 201) == (first.status_code, second.status_code)
    assert "idempotency-replayed" not in first.headers
    assert "true" == second.headers["idempotency-replayed"]
    assert "idempotency-key-reused" == problem(other)


@pytest.mark.parametrize("keys", [[""], ['"'], ["k", "k"], ['"k"', '"k"'], ["k" * 256]])
async def test_a_malformed_key_is_refused(client: httpx.AsyncClient, keys: list[str]) -> None:
    """A key that is empty, unbalanced, too long or sent twice creates nothing."""
    headers = [("idempotency-key", key) for key in keys]

    response = await client.post("/orders", json=TEA, headers=headers)

    assert "malformed-idempotency-key" == problem(response)


async def test_a_batch_is_created_in_order(client: httpx.AsyncClient, orders: Any) -> None:
    """A batch is answered with all of its orders, as they were sent."""
    items = ["tea", "milk", "sugar"]

    response = await client.post("/orders/batch", json=[{**TEA, "item": item} for item in items])

    assert 201 == response.status_code
    assert items == [order["item"] for order in response.json()]
    assert len(items) == len(orders.orders)


async def test_a_key_makes_a_batch_safe_to_repeat(client: httpx.AsyncClient, orders: Any) -> None:
    """The same key and orders get the same body, marked; other orders are refused."""
    batch = [TEA, {**TEA, "item": "milk"}]
    first, second, other = [
        await client.post("/orders/batch", json=sent, headers={"idempotency-key": key})
        for sent, key in ((batch, '"k"'), (batch, "k"), (batch[::-1], "k"))
    ]

    assert (201, 201) == (first.status_code, second.status_code)
    assert first.content == second.content
    assert [None, "true"] == [a.headers.get("idempotency-replayed") for a in (first, second)]
    assert "idempotency-key-reused" == problem(other)
    assert len(batch) == len(orders.orders)


async def test_a_batch_with_a_malformed_key_is_refused(
    client: httpx.AsyncClient, orders: Any
) -> None:
    """Nothing is created."""
    response = await client.post("/orders/batch", json=[TEA], headers={"idempotency-key": "a b"})

    assert "malformed-idempotency-key" == problem(response)
    assert {} == orders.orders


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/orders", b"", ""),
        ("/orders", b"{", ""),
        ("/orders", b'{"item":"tea","quantity":"3"}', "/quantity"),
        ("/orders", b'{"item":"tea","quantity":3,"colour":1}', "/colour"),
        ("/orders", b'{"item":"\xff","quantity":3}', ""),
        ("/orders/batch", b"[]", ""),
        ("/orders/batch", b'[{"item":"tea","quantity":3},{"item":"tea"}]', "/1/quantity"),
    ],
)
async def test_a_body_that_does_not_validate_is_pointed_at(
    client: httpx.AsyncClient, orders: Any, path: str, body: bytes, pointer: str
) -> None:
    """A bad body creates nothing and is answered with a pointer."""
    response = await client.post(path, content=body, headers=JSON)

    assert "invalid-request" == problem(response)
    assert [pointer] == [error["pointer"] for error in response.json()["errors"]]
    assert {} == orders.orders


@pytest.mark.parametrize(
    ("path", "pointers"),
    [
        ("/orders/1", ["#/path/id"]),
        (f"/orders/{NOBODY}?fields=id", ["#/query/fields"]),
        ("/orders?limit=0", ["#/query/limit"]),
        ("/orders?limit=101", ["#/query/limit"]),
        ("/orders?limit=", ["#/query/limit"]),
        ("/orders?limit=ten", ["#/query/limit"]),
        ("/orders?limit=1&limit=2", ["#/query/limit"]),
        ("/orders?offset=1", ["#/query/offset"]),
        ("/orders?after=1", ["#/query/after"]),
        ("/orders?before=", ["#/query/before"]),
        (f"/orders?after={NOBODY}&before={NOBODY}", ["#/query/after", "#/query/before"]),
    ],
)
async def test_a_parameter_that_does_not_validate_is_pointed_at(
    client: httpx.AsyncClient, path: str, pointers: list[str]
) -> None:
    """A bad id or query parameter is named by a pointer."""
    response = await client.get(path)

    assert "invalid-request" == problem(response)
    assert pointers == [error["pointer"] for error in response.json()["errors"]]


async def test_pages_lead_through_all_orders(client: httpx.AsyncClient) -> None:
    """Following `next` gives every order once, newest first; `prev` leads all the way back."""
    made = await client.post("/orders/batch", json=[{**TEA, "quantity": n + 1} for n in range(7)])
    expected = made.json()[::-1]

    response = await client.get("/orders?limit=3")
    pages = [response.json()]
    while "next" in response.links:
        response = await client.get(response.links["next"]["url"])
        pages.append(response.json())
    back = [response.json()]
    while "prev" in response.links:
        response = await client.get(response.links["prev"]["url"])
        back.append(response.json())

    assert [3, 3, 1] == [len(page) for page in pages]
    assert expected == [order for page in pages for order in page]
    assert [expected[6:], expected[3:6], expected[:3]] == back


async def test_a_list_has_twenty_orders_unless_asked(client: httpx.AsyncClient) -> None:
    """The default limit is 20; a cursor in capitals is an order's id too."""
    made = await client.post("/orders/batch", json=[TEA] * 30)
    eighth = made.json()[7]["id"]

    assert 20 == len((await client.get("/orders")).json())
    assert 7 == len((await client.get(f"/orders?after={eighth.upper()}")).json())


async def test_an_unknown_order_is_not_found(client: httpx.AsyncClient) -> None:
    """An id that no order has is 404."""
    assert "order-not-found" == problem(await client.get(f"/orders/{NOBODY}"))


async def test_an_unknown_path_is_not_found(client: httpx.AsyncClient) -> None:
    """A path that no endpoint has is 404, with the path as the instance."""
    response = await client.get("/caf%C3%A9/latte")

    assert "not-found" == problem(response)
    assert "/caf%C3%A9/latte" == response.json()["instance"]
