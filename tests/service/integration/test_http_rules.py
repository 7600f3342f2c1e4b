"""What RFC 9110 asks of every endpoint, on the real server: methods, types, sizes."""

import json
import re
from typing import Final

import httpx
import pytest

from tests.helpers.problem_document import problem
from tests.helpers.raw_http import JSON, Request, exchange
from tests.helpers.server import Server

NOBODY: Final = "0d5e9a52-6f4b-4c2f-9a86-2f1f6d1c7b10"
"""An id that no order has."""

TEA = {"item": "tea", "quantity": 2}
KIB = 1024


def test_head_is_where_get_is(api: httpx.Client) -> None:
    """HEAD has the status and the headers of GET, and no body."""
    path = api.post("/orders", json=TEA).headers["location"]
    for target in (path, "/orders?limit=1", f"/orders/{NOBODY}", "/orders/5", "/docs"):
        get, head = api.get(target), api.head(target)
        ignored = {"date", "x-correlation-id"}

        assert b"" == head.content
        assert (get.status_code, {k: v for k, v in get.headers.items() if k not in ignored}) == (
            head.status_code,
            {k: v for k, v in head.headers.items() if k not in ignored},
        )


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/orders", "GET, HEAD, OPTIONS, POST"),
        ("PUT", f"/orders/{NOBODY}", "GET, HEAD, OPTIONS"),
        ("POST", f"/orders/{NOBODY}", "GET, HEAD, OPTIONS"),
        ("PATCH", "/orders/batch", "OPTIONS, POST"),
        ("BREW", "/orders", "GET, HEAD, OPTIONS, POST"),
    ],
)
def test_another_method_is_told_the_right_ones(
    api: httpx.Client, method: str, path: str, allow: str
) -> None:
    """A method that a path does not have is 405 with Allow."""
    answer = api.request(method, path)

    assert (405, "method-not-allowed") == (answer.status_code, problem(answer))
    assert allow == answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "limit", "order"),
    [("/orders", 64 * KIB, b"%b"), ("/orders/batch", KIB * KIB, b"[%b]")],
)
def test_a_body_has_a_limit(server: Server, path: str, limit: int, order: bytes) -> None:
    """A body of just the limit is taken; one byte more is 413 before it is read."""
    body = order % b'{"item":"large","quantity":1}'
    just = exchange(server.port, Request("POST", path, (JSON,), (body.ljust(limit),)))
    length = ("Content-Length", str(limit + 1))
    announced = exchange(server.port, Request("POST", path, (JSON, length), (), "none"))
    pieces = tuple(b" " * 32 * KIB for _ in range(limit // (32 * KIB) + 1))
    grown = exchange(server.port, Request("POST", path, (JSON,), pieces, "chunked"))

    assert [201, 413, 413] == [just.status, announced.status, grown.status]
    assert {"https://orders.dev/problems/content-too-large"} == {
        json.loads(answer.body)["type"] for answer in (announced, grown)
    }


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", ""])
def test_only_json_is_taken(api: httpx.Client, kind: str) -> None:
    """A body of another type is 415 and says what would be taken, and so is a compressed one."""
    other = api.post("/orders", content=json.dumps(TEA), headers={"Content-Type": kind})
    coded = api.post("/orders", json=TEA, headers={"Content-Encoding": "gzip"})
    charset = {"Content-Type": "application/json; charset=UTF-8"}
    plain = api.post("/orders", content=json.dumps(TEA), headers=charset)

    assert (415, "unsupported-media-type") == (other.status_code, problem(other))
    assert "application/json" == other.headers["accept"]
    assert 415 == coded.status_code
    assert 201 == plain.status_code


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("text/html, */*;q=0.1", 201),
        ("application/*", 201),
    ],
)
def test_only_json_is_given(api: httpx.Client, accept: str, status: int) -> None:
    """A caller that does not accept JSON gets 406, as a problem document all the same."""
    answer = api.post("/orders", json=TEA, headers={"Accept": accept})

    assert status == answer.status_code
    assert 201 == status or "not-acceptable" == problem(answer)


def test_every_answer_has_a_correlation_id(api: httpx.Client) -> None:
    """It is the trace id that came in, or a new one each time."""
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    told = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    paths = ("/orders", f"/orders/{NOBODY}", "/nothing", "/docs", "/schema/openapi.json")
    fresh = [api.get(path).headers["x-correlation-id"] for path in paths]
    given = [api.get(path, headers=told).headers["x-correlation-id"] for path in paths]

    assert len(paths) == len(set(fresh))
    assert all(re.fullmatch("[0-9a-f]{32}", value) for value in fresh)
    assert [trace] * len(paths) == given
