"""The API through Litestar, without a server."""

import asyncio
import json
import logging
from typing import Any

import httpx
import pytest

from orders.errors import DatabaseUnavailable
from orders.http.app import Application

TEA = {"item": "tea", "quantity": 3}
JSON = {"content-type": "application/json"}
NOBODY = "01234567-89ab-cdef-0123-456789abcdef"


def problem(response: httpx.Response) -> str:
    """Return the name of the problem that a response tells of."""
    assert "application/problem+json" == response.headers["content-type"]
    assert response.status_code == response.json()["status"]
    return str(response.json()["type"].rpartition("/")[2])


async def ask(
    app: Application, path: str, *chunks: bytes, **more: Any
) -> tuple[int, dict[bytes, bytes], bytes, int]:
    """Send a raw request; return status, headers, body and how many chunks were taken."""
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": index < len(chunks) - 1}
        for index, chunk in enumerate(chunks)
    ]
    waiting.append({"type": "http.disconnect"})
    sent: list[Any] = []

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [],
        "extensions": {},
        **more,
    }
    await app(scope, receive, send)  # type: ignore[arg-type]
    taken = len(chunks) + 1 - len(waiting)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"], taken


async def test_an_order_is_created_and_read(client: httpx.AsyncClient) -> None:
    """A created order is found where Location says, with a tag."""
    created = await client.post("/orders", json=TEA)
    read = await client.get(created.headers["location"])

    assert (201, 200) == (created.status_code, read.status_code)
    assert TEA == {name: created.json()[name] for name in TEA}
    assert created.content == read.content
    assert f'"{created.json()["id"]}-1"' == read.headers["etag"]
    assert "application/json" == read.headers["content-type"]


async def test_an_order_the_caller_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    """A tag that matches gets 304 with the tag and nothing else, in capitals too."""
    created = await client.post("/orders", json=TEA)
    read = await client.get(created.headers["location"])

    again = await client.get(
        f"/orders/{created.json()['id'].upper()}", headers={"if-none-match": read.headers["etag"]}
    )

    assert 304 == again.status_code
    assert {"etag": read.headers["etag"]} == dict(again.headers)
    assert b"" == again.content


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


async def test_a_batch_takes_no_key(client: httpx.AsyncClient) -> None:
    """A key with a batch is refused, with the reason."""
    response = await client.post("/orders/batch", json=[TEA], headers={"idempotency-key": "k"})

    assert "malformed-idempotency-key" == problem(response)
    assert "single order" in response.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/orders", b"", ""),
        ("/orders", b"{", ""),
        ("/orders", b'{"item":"tea","quantity":"3"}', "/quantity"),
        ("/orders", b'{"item":"tea","quantity":3,"colour":1}', "/colour"),
        ("/orders", rb'{"item":"tea\u0000","quantity":3}', "/item"),
        ("/orders", b'{"item":"\xff","quantity":3}', ""),
        ("/orders/batch", b"[]", ""),
        ("/orders/batch", b'[{"item":"tea","quantity":3},{"item":"tea"}]', "/1/quantity"),
        (
            "/orders/batch",
            rb'[{"item":"tea","quantity":3},{"item":"\u0000","quantity":3}]',
            "/1/item",
        ),
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


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/orders", "GET, HEAD, OPTIONS, POST"),
        ("/orders/batch", "OPTIONS, POST"),
        (f"/orders/{NOBODY}", "GET, HEAD, OPTIONS"),
        ("/docs", "GET, HEAD, OPTIONS"),
    ],
)
async def test_other_methods_are_told_the_right_ones(
    client: httpx.AsyncClient, path: str, allow: str
) -> None:
    """405 and OPTIONS say what is possible."""
    refused = await client.delete(path)
    options = await client.options(path)

    assert "method-not-allowed" == problem(refused)
    assert allow == refused.headers["allow"]
    assert (204, allow, b"") == (options.status_code, options.headers["allow"], options.content)


@pytest.mark.parametrize(
    ("path", "query", "location"),
    [
        ("/orders/", b"", b"/orders"),
        ("/orders/", b"limit=3", b"/orders?limit=3"),
        ("/orders/batch/", b"", b"/orders/batch"),
        (f"/orders/{NOBODY}/", b"", f"/orders/{NOBODY}".encode()),
        ("/docs/", b"", b"/docs"),
        ("/orders/\r\nset-cookie: \u00e9/", b"", b"/orders/%0D%0Aset-cookie%3A%20%C3%A9"),
    ],
)
async def test_a_slash_too_many_is_redirected(
    app: Application, path: str, query: bytes, location: bytes
) -> None:
    """A slash at the end leads to the path without it, method and query kept."""
    status, headers, _, _ = await ask(app, path, query_string=query)

    assert (307, location) == (status, headers[b"location"])


@pytest.mark.parametrize("path", ["//orders", "/orders//batch", "//", "//evil.test/", "/nothing/"])
async def test_other_slashes_are_not_found(app: Application, path: str) -> None:
    """A path with an empty part is no other name for the one without."""
    status, headers, body, _ = await ask(app, path)

    assert 404 == status
    assert b"location" not in headers
    assert "https://orders.dev/problems/not-found" == json.loads(body)["type"]


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"content-type": "text/plain"}, "unsupported-media-type"),
        ({"content-type": ""}, "unsupported-media-type"),
        ({"content-type": "application/json; charset=utf-16"}, "unsupported-media-type"),
        ({**JSON, "content-encoding": "gzip"}, "unsupported-media-type"),
        ({}, "unsupported-media-type"),
        ({**JSON, "accept": "text/html"}, "not-acceptable"),
    ],
)
@pytest.mark.parametrize("path", ["/orders", "/orders/batch"])
async def test_negotiation_comes_before_validation(
    client: httpx.AsyncClient, path: str, headers: dict[str, str], name: str
) -> None:
    """A body that is not JSON is not looked at, nor one whose answer would not be accepted."""
    assert name == problem(await client.post(path, content=b"?", headers=headers))


async def test_repeated_accept_headers_count_together(client: httpx.AsyncClient) -> None:
    """JSON may be named in the second of two Accept headers."""
    headers = [("accept", "text/html"), ("accept", "application/json")]

    assert 200 == (await client.get("/orders", headers=headers)).status_code


@pytest.mark.parametrize(("path", "limit"), [("/orders", 65_536), ("/orders/batch", 1_048_576)])
async def test_a_body_that_says_it_is_too_large_is_not_read(
    app: Application, path: str, limit: int
) -> None:
    """The length that is announced is enough to refuse."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % (limit + 1))]

    status, _, body, taken = await ask(app, path, b"[", method="POST", headers=headers)

    assert (413, 0) == (status, taken)
    assert f"the body may have {limit:,} bytes" == json.loads(body)["detail"]


async def test_a_body_that_grows_too_large_is_not_read_on(app: Application) -> None:
    """Without a length, the bytes are counted as they come."""
    headers = [(b"content-type", b"application/json")]

    status, _, _, taken = await ask(
        app, "/orders", *[b" " * 40_000] * 5, method="POST", headers=headers
    )

    assert (413, 2) == (status, taken)


async def test_a_body_of_just_the_limit_is_read(client: httpx.AsyncClient) -> None:
    """Padding up to the limit is allowed."""
    body = json.dumps(TEA).encode().ljust(65_536)

    assert 201 == (await client.post("/orders", content=body, headers=JSON)).status_code


async def test_a_caller_that_leaves_early_is_no_defect(
    app: Application, caplog: pytest.LogCaptureFixture
) -> None:
    """A body that ends before its end is the caller's failure, and not logged as ours."""
    headers = [(b"content-type", b"application/json")]

    status, _, _, _ = await ask(app, "/orders", method="POST", headers=headers)

    assert 400 == status
    assert [] == caplog.records


async def test_any_host_is_taken(client: httpx.AsyncClient) -> None:
    """What the server lets in as Host is not judged a second time."""
    assert 200 == (await client.get("/orders", headers={"host": "no host!"})).status_code


async def test_a_failure_of_the_domain_is_told(client: httpx.AsyncClient, orders: Any) -> None:
    """A database that is away is 503, with when to try again."""
    orders.failure = DatabaseUnavailable("away for 5 s")

    response = await client.post("/orders", json=TEA)

    assert "database-unavailable" == problem(response)
    assert "1" == response.headers["retry-after"]


async def test_a_defect_is_logged_and_not_told(
    client: httpx.AsyncClient, orders: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """What nobody foresaw is 500; the log has the traceback, the answer has nothing of it."""
    orders.failure = ZeroDivisionError("secret")

    with caplog.at_level(logging.ERROR):
        response = await client.post("/orders", json=TEA)

    assert "internal" == problem(response)
    assert "secret" not in response.text
    assert "secret" in caplog.text


async def test_the_scope_names_the_problem(app: Application) -> None:
    """Metrics and log find in the scope what went wrong."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/orders/1",
        "query_string": b"",
        "headers": [],
    }
    answered = asyncio.Event()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            answered.set()

    await app(scope, asyncio.Event().wait, send)  # type: ignore[arg-type]

    assert answered.is_set()
    assert "invalid-request" == scope["orders_problem"]
