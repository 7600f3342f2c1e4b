"""What HTTP asks of every endpoint: methods, paths, negotiation, limits, failures."""

import asyncio
import json
import logging
from typing import Any

import httpx
import pytest

from orders.errors import DatabaseUnavailable
from orders.http.app import Application
from tests.helpers.asgi_client import JSON, NOBODY, TEA, ask, problem


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
    assert f"the body may have at most {limit:,} bytes" == json.loads(body)["detail"]


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
