"""Creating and reading orders on the real server: what a caller may rely on."""

import re
import time
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from orders import errors
from orders.errors import Problem
from tests.helpers.paths import ROOT
from tests.helpers.postgres import Databases
from tests.helpers.problem_document import pointers, problem
from tests.helpers.raw_http import JSON
from tests.helpers.server import Server

TEA = {"item": "tea", "quantity": 2}


def test_an_order_is_created(api: httpx.Client) -> None:
    """POST /orders is answered with 201, Location and the order, whose id is a UUIDv7 of now."""
    began = time.time()
    answer = api.post("/orders", json=TEA)
    order = answer.json()
    order_id = UUID(order["id"])
    created = datetime.fromisoformat(order["created_at"]).timestamp()

    assert 201 == answer.status_code
    assert "application/json" == answer.headers["content-type"]
    assert ["id", "item", "quantity", "created_at"] == list(order)
    assert TEA == {"item": order["item"], "quantity": order["quantity"]}
    assert f"/orders/{order_id}" == answer.headers["location"]
    assert 7 == order_id.version
    assert order_id.int >> 80 == round(created * 1000)
    assert began - 0.001 <= created <= time.time()
    assert order == api.get(answer.headers["location"]).json()


@pytest.mark.parametrize(
    "order",
    [
        {"item": "x", "quantity": 1},
        {"item": "x" * 200, "quantity": 1_000_000},
        {"item": "🍵" * 200, "quantity": 1},
        {"item": "e\u0301 \u202e\u0001 \\ \" ' % {} $1 --", "quantity": 7},
    ],
    ids=["least", "most", "emoji", "odd"],
)
def test_what_is_allowed_comes_back_as_it_was(api: httpx.Client, order: dict[str, Any]) -> None:
    """Items are counted in code points and kept as they are."""
    answer = api.post("/orders", json=order)
    read = api.get(answer.headers["location"]).json()

    assert 201 == answer.status_code
    assert order == {"item": read["item"], "quantity": read["quantity"]}


@pytest.mark.parametrize(
    ("order", "pointer"),
    [
        ({"item": "", "quantity": 1}, "/item"),
        ({"item": "x" * 201, "quantity": 1}, "/item"),
        ({"item": "🍵" * 201, "quantity": 1}, "/item"),
        ({"item": "a\0b", "quantity": 1}, "/item"),
        ({"item": 5, "quantity": 1}, "/item"),
        ({"item": "tea", "quantity": 0}, "/quantity"),
        ({"item": "tea", "quantity": 1_000_001}, "/quantity"),
        ({"item": "tea", "quantity": "1"}, "/quantity"),
        ({"item": "tea", "quantity": 1.5}, "/quantity"),
        ({"item": "tea", "quantity": True}, "/quantity"),
        ({"item": "tea"}, "/quantity"),
        ({"item": "tea", "quantity": 1, "price": 2}, "/price"),
        ([], ""),
    ],
)
def test_what_is_not_allowed_is_pointed_at(api: httpx.Client, order: Any, pointer: str) -> None:
    """A body that does not validate is 400 with a pointer, alone and within a batch."""
    alone = api.post("/orders", json=order)
    batch = api.post("/orders/batch", json=[TEA, order])

    assert [pointer] == pointers(alone)
    assert [f"/1{pointer}"] == pointers(batch)


@pytest.mark.parametrize("body", ["", "{", "tea", '{"item":"tea","quantity":1}}'])
def test_what_is_no_json_is_refused(api: httpx.Client, body: str) -> None:
    """A body that is no JSON is 400; the pointer is that of the whole body."""
    answer = api.post("/orders", content=body, headers=[JSON])

    assert [""] == pointers(answer)


def test_a_key_is_replayed_for_ever(
    postgres: Databases, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same key and payload get the same 201 body, also from the next process."""
    url = postgres.migrated_database()
    folder = tmp_path_factory.mktemp("replay")
    answers = []
    for number in range(2):
        server = Server(folder / f"{number}.log", DATABASE_URL=url)
        server.wait_for()
        for key in ('"the key"', '"the\\" key"', '"the key"'):
            headers = {"Idempotency-Key": key}
            answers.append(httpx.post(f"{server.url}/orders", json=TEA, headers=headers))
        assert 0 == server.stop()
    first, other, *replays = answers

    assert {201} == {answer.status_code for answer in answers}
    assert [None, None] == [a.headers.get("idempotency-replayed") for a in (first, other)]
    assert ["true"] * 4 == [a.headers["idempotency-replayed"] for a in replays]
    assert [first.content, first.content, other.content, first.content] == [
        answer.content for answer in replays
    ]
    assert first.headers["location"] == replays[0].headers["location"]
    assert first.content != other.content
    assert [(2,)] == postgres.execute("SELECT count(*) FROM orders", url)


def test_a_key_belongs_to_its_payload(api: httpx.Client) -> None:
    """Another payload with the same key is 422; unquoted it is the same key."""
    key = str(uuid4())
    created = api.post("/orders", json=TEA, headers={"Idempotency-Key": f'"{key}"'})
    replayed = api.post("/orders", json=TEA, headers={"Idempotency-Key": key})
    others = [
        api.post("/orders", json=other, headers={"Idempotency-Key": key})
        for other in (TEA | {"item": "Tea"}, TEA | {"quantity": 3})
    ]

    assert created.content == replayed.content
    assert [422, 422] == [other.status_code for other in others]
    assert {"idempotency-key-reused"} == {problem(other) for other in others}


@pytest.mark.parametrize("key", ["", '""', '"', "a b", "a,b", "k" * 256, f'"{"k" * 256}"'])
def test_a_malformed_key_is_refused(api: httpx.Client, key: str) -> None:
    """A key that is no structured-field string of 1 to 255 characters is 400."""
    answer = api.post("/orders", json=TEA, headers={"Idempotency-Key": key})
    longest = api.post("/orders", json=TEA, headers={"Idempotency-Key": f'"{"k" * 255}"'})

    assert 400 == answer.status_code
    assert "malformed-idempotency-key" == problem(answer)
    assert 201 == longest.status_code


@pytest.mark.parametrize("size", [1, 1_000])
def test_a_batch_is_created_in_order(api: httpx.Client, size: int) -> None:
    """1 to 1,000 orders come back as they were sent, and the list has them, newest first."""
    sent = [{"item": f"batch {n}", "quantity": n + 1} for n in range(size)]
    answer = api.post("/orders/batch", json=sent)
    made = answer.json()
    listed = api.get("/orders?limit=100").json()

    assert 201 == answer.status_code
    assert sent == [{"item": o["item"], "quantity": o["quantity"]} for o in made]
    assert made[::-1][:100] == listed[: min(size, 100)]


@pytest.mark.parametrize("bad", [0, 1_001, "last"])
def test_a_batch_is_all_or_nothing(api: httpx.Client, bad: int | str) -> None:
    """None or 1,001 orders are refused, and one bad order keeps the 999 others out too."""
    item = f"nothing of {bad}"
    good = {"item": item, "quantity": 1}
    orders = [good] * bad if isinstance(bad, int) else [good] * 999 + [good | {"quantity": 0}]
    answer = api.post("/orders/batch", json=orders)
    newest = api.get("/orders?limit=100").json()

    assert ["/999/quantity" if bad == "last" else ""] == pointers(answer)
    assert item not in {order["item"] for order in newest}


def test_a_read_has_a_tag(api: httpx.Client) -> None:
    """GET /orders/{id} has an ETag; whoever has it gets 304 without a body."""
    path = api.post("/orders", json=TEA).headers["location"]
    answer = api.get(path)
    tag = answer.headers["etag"]
    kept = [
        api.get(path, headers={"If-None-Match": value})
        for value in (tag, f"W/{tag}", f'"x", {tag}', "*")
    ]
    other = api.get(path, headers={"If-None-Match": '"x"'})

    assert 200 == answer.status_code
    assert [(304, b"", tag)] * 4 == [(a.status_code, a.content, a.headers["etag"]) for a in kept]
    assert (200, answer.content) == (other.status_code, other.content)


def test_an_order_that_is_not_there(api: httpx.Client) -> None:
    """An unknown id is 404, one that is no UUID 400, a path without an endpoint 404."""
    unknown = api.get(f"/orders/{uuid4()}")
    malformed = api.get("/orders/5")
    nowhere = api.get("/order")

    assert (404, "order-not-found") == (unknown.status_code, problem(unknown))
    assert ["#/path/id"] == pointers(malformed)
    assert (404, "not-found") == (nowhere.status_code, problem(nowhere))


def test_the_reference_has_every_problem() -> None:
    """The table in docs/api.md is the closed set: name, status and title, in order."""
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \| (.*) \|$", page, re.MULTILINE)
    problems = [
        found
        for found in vars(errors).values()
        if isinstance(found, type) and issubclass(found, Problem) and "name" in vars(found)
    ]

    assert [(p.name, str(p.status), p.title) for p in problems] == rows


@pytest.mark.parametrize(
    ("path", "sent", "pointer"),
    [
        ("/orders", {**TEA, "item": "a\0"}, "/item"),
        ("/orders/batch", [TEA, {**TEA, "item": "\0"}], "/1/item"),
    ],
)
def test_a_nul_is_refused(api: httpx.Client, path: str, sent: Any, pointer: str) -> None:
    """PostgreSQL cannot hold one; the answer points to it."""
    answer = api.post(path, json=sent)

    assert 400 == answer.status_code
    assert [{"pointer": pointer, "detail": "has a NUL character"}] == answer.json()["errors"]
