"""A team's hot endpoints against Litestar: the same requests, the same answers and records."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from hypothesis import given, settings

from orders.auth.api_keys import line, new_key
from tests.helpers.client_requests import CLIENTS, GOOD
from tests.helpers.entry_points import BridgedServer, Doors, open_doors
from tests.helpers.fork import Fork
from tests.helpers.hot_requests import SEEDED, UNKNOWN, catalogue
from tests.helpers.hot_team import TABLE, hot_team
from tests.helpers.postgres import Databases
from tests.helpers.raw_http import JSON, Request, exchange
from tests.helpers.server import Server
from tests.service.integration.test_differential import MADE
from tests.service.integration.test_hooks import PLUGIN

pytestmark = pytest.mark.timeout(600)  # of four servers, thousands of requests to each

ORDERS: Final = "/shops/corner/orders"
CANCEL: Final = f"/orders/{SEEDED}/cancel"
UNTOLD: Final = {"time", "duration_ms", "trace_id", "span_id", "client"}
"""What is different for each request."""


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Fork:
    """Make the team's fork."""
    return hot_team(tmp_path_factory.mktemp("fork"))


@pytest.fixture(scope="module")
def key() -> str:
    """Make an API key."""
    return new_key()


@pytest.fixture(scope="module")
def doors(postgres: Databases, fork: Fork, key: str) -> Iterator[Doors]:
    """Start servers of the fork that ask who calls, with hooks."""
    (fork.folder / "service" / "noted.py").write_text(PLUGIN)
    keys = fork.folder / "keys"
    keys.write_text(line("shop", key, dict.fromkeys(("orders:read", "orders:write"))) + "\n")
    environ = fork.environ | {"ORDERS_PLUGINS": "noted:install", "AUTH_API_KEYS_FILE": str(keys)}
    with open_doors(
        postgres,
        fork.folder,
        environ,
        credential=[("X-Api-Key", key)],
        prepare=lambda url: postgres.execute(TABLE, url),
    ) as opened:
        yield opened


def moved(request: Request) -> Request:
    """Return a request for orders as one for the team's endpoints."""
    path, question, query = request.path.partition("?")
    if path == "/orders":
        path = ORDERS
    elif path.startswith("/orders/"):
        path += "/cancel"
    return request._replace(path=path + question + query)


def own() -> Iterator[Request]:
    """Yield requests that are about these endpoints alone."""
    bodies = (
        b'{"item":"no"}', b'{"item":"a\\u0000b"}', b'{"item":"a\\\\u0000b"}', b'{"item":5}', b"{",
        b"", b'{"item":"tea","%b":1}' % (b"x" * 5_000), b'{"item":"tea","quantity":2.0}',
        b'{"item":"tea","more":[1,2]}' + b" " * 30_000,
    )  # fmt: skip
    for order_id in (SEEDED, UNKNOWN, "5", "batch", "a%00b", "%2F", "é", "x" * 300):
        for body in bodies:
            yield Request("PUT", f"/orders/{order_id}/cancel", (JSON,), (body,))
            yield Request("POST", f"/shops/{order_id}/orders", (JSON,), (body,), "chunked")
        for method in ("GET", "HEAD", "DELETE", "OPTIONS"):
            yield Request(method, f"/orders/{order_id}/cancel")
            yield Request(method, f"/shops/{order_id}")
    for note in ((), ("a",), ("",), ("a", "b"), (" a,b ",)):
        headers = tuple(("X-Anything", value) for value in note)
        yield Request("GET", CANCEL, headers)
        yield Request("POST", "/shops/corner/opening", tuple(("X-Why", v) for _, v in headers))
    why = ("X-Why", "monday")
    yield Request("POST", "/shops/corner/opening", (why, ("Content-Length", "0")))
    yield Request("POST", "/shops/corner/opening", (why, JSON), (b"{}",))
    yield Request("POST", "/shops/corner/opening", (why, JSON), (b"{}",), "chunked")
    for length in (1_000, 1_001, 30_000):
        for framing in ("length", "chunked"):
            motto = b'{"item":"tea"}'.ljust(length)
            yield Request("PUT", "/shops/corner/motto", (JSON,), (motto,), framing)
    for path in ("large", "defect", "contradiction", "opening", "orders", "none", "large/", ""):
        for method in ("GET", "HEAD", "POST"):
            yield Request(method, f"/shops/corner/{path}")
            yield Request(method, f"/shops/corner/{path}", (("If-None-Match", "*"),))
            yield Request(method, f"/shops/corner/{path}", (("Accept", "text/html"),))


def differences(doors: Doors, asked: list[Request]) -> list[tuple[Any, ...]]:
    """Return the requests that are not answered alike, with their answers."""
    compared = ((request, doors.compare(request)) for request in asked)
    return [(request, *answers) for request, answers in compared if answers is not None]


def with_headers(request: Request, *more: tuple[str, str]) -> Request:
    """Return a request with more headers."""
    return request._replace(headers=(*request.headers, *more))


def test_the_catalogue_is_answered_alike(doors: Doors, key: str) -> None:
    """Requests of the built-in calls' catalogue, and about these endpoints, good and bad."""
    asked = [*own(), *map(moved, catalogue())]

    assert [] == differences(
        doors, [with_headers(request, ("X-Api-Key", key)) for request in asked]
    )


def test_a_nul_is_refused_where_an_order_is_created(doors: Doors, key: str) -> None:
    """An endpoint that creates an order of whatever it was sent answers as a create does."""
    body = b'{"item":"a\\u0000b"}'
    for path, sent in ((ORDERS, body), ("/shops/a%00b/orders", GOOD)):
        request = Request("POST", path, (JSON, ("X-Api-Key", key)), (sent,))
        for door in doors:
            answer = door.ask(request)
            assert 400 == answer.status
            assert b'"errors":[{"pointer":"/item","detail":"has a NUL character"}]' in answer.body


@pytest.mark.parametrize("header", [("X-Refused", "1"), ("X-Broken", "1"), ("X-Api-Key", "none")])
def test_refusals_are_answered_alike(doors: Doors, key: str, header: tuple[str, str]) -> None:
    """A hook that refuses or fails, and a caller without a key, get the same answers."""
    known = () if header[0] == "X-Api-Key" else (("X-Api-Key", key),)
    asked = [
        with_headers(each, header, *known) for each in [*own(), *map(moved, catalogue())][::7]
    ]
    asked = [each for each in asked if all(value.isascii() for _, value in each.headers)]

    assert [] == differences(doors, asked)


@settings(max_examples=100)
@given(request=MADE)
def test_made_requests_are_answered_alike(doors: Doors, key: str, request: Request) -> None:
    """Whatever Hypothesis makes of headers, ids and bodies gets the same answer from all."""
    assert doors.compare(with_headers(moved(request), ("X-Api-Key", key))) is None


def records(
    kind: type[Server], fork: Fork, url: str, asked: list[Request]
) -> tuple[list[int], list[dict[str, Any]], set[str], list[str]]:
    """Return what a server answers, logs, counts by route, and calls cold."""
    server = kind(
        fork.folder / f"records of {kind.__name__}.log",
        DATABASE_URL=url,
        **fork.environ,
    )
    try:
        server.wait_for()
        asyncio.run(server.all_connected())
        statuses = [exchange(server.port, request).status for request in asked]
        metrics = httpx.get(f"{server.metrics_url}/metrics").text
    finally:
        assert 0 == server.stop()
    lines = [json.loads(text) for text in server.output().splitlines()]
    told = [
        {name: value for name, value in each.items() if name not in UNTOLD}
        for each in lines
        if each.get("logger") == "orders.access"
    ]
    counted = re.findall(r"^http_server_request_duration_seconds_count.*$", metrics, re.MULTILINE)
    cold = re.findall(
        r'^orders_cold_requests_total\{.*http_route="([^"]+)".*\} [1-9]', metrics, re.MULTILINE
    )
    return statuses, told, set(counted), cold


def test_what_ordinary_clients_send_is_hot_and_recorded_alike(
    postgres: Databases, fork: Fork
) -> None:
    """Requests of real clients are never cold; logs and metrics are those of the cold path."""
    url = postgres.migrated_database()
    postgres.execute(TABLE, url)
    place = f"/orders/{UNKNOWN}/cancel"
    asked = [
        request
        for client in CLIENTS.values()
        for request in (
            Request("POST", ORDERS, client.create, (GOOD,), client.framing),
            Request("PUT", place, client.create, (GOOD,), client.framing),
            Request("GET", place, client.read),
            Request("HEAD", place, client.read),
            Request("DELETE", "/shops/corner", client.read),
        )
    ]
    # The first cold request imports Litestar, which may take a while.
    asked = [Request("GET", "/nothing"), *asked, Request("GET", "/shops/corner/slow")]

    statuses, lines, counted, cold = records(Server, fork, url, asked)
    bridged = records(BridgedServer, fork, url, asked)

    assert [404, *[201, 404, 200, 200, 204] * len(CLIENTS), 503] == statuses
    assert ["unmatched"] == cold
    assert len(asked) == len(lines)
    assert (statuses, lines, counted) == bridged[:3]
    assert {"/orders/{id}/cancel", "/shops/{shop}/orders", "/shops/{shop}"} <= {*bridged[3]}
    postgres.drop(url)
