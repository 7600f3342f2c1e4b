"""The API on the real server, sentence by sentence: what a caller may rely on."""

import json
import re
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from orders.store import sql
from tests.postgres import Databases
from tests.raw import JSON, Request, exchange
from tests.server import Server

TEA = {"item": "tea", "quantity": 2}
MANY = 20_000
KIB = 1024


@pytest.fixture(scope="module")
def server(postgres: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start the service that all of these tests share."""
    log = tmp_path_factory.mktemp("api") / "serve.log"
    started = Server(log, DATABASE_URL=postgres.migrated_database())
    started.wait_for()
    yield started
    assert 0 == started.stop()
    postgres.drop_databases()


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[httpx.Client]:
    """Open a client of it."""
    with httpx.Client(base_url=server.url) as client:
        yield client


@pytest.fixture(scope="module")
def many(postgres: Databases) -> str:
    """Make a database of 20,000 orders; their items are numbered from the oldest, 1."""
    url = postgres.migrated_database()
    postgres.execute(
        "INSERT INTO orders SELECT ('0199d2f6-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,"
        f" n::text, 1, now() FROM generate_series(1, {MANY}) AS n",
        url,
    )
    postgres.execute("ANALYZE orders", url)
    return url


@pytest.fixture(scope="module")
def pages(many: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Open a client of a service with the 20,000 orders."""
    started = Server(tmp_path_factory.mktemp("pages") / "serve.log", DATABASE_URL=many)
    started.wait_for()
    with httpx.Client(base_url=started.url) as client:
        yield client
    assert 0 == started.stop()


def problem(answer: httpx.Response) -> str:
    """Check that the answer is a whole problem document; return the problem's name."""
    document = answer.json()
    assert "application/problem+json" == answer.headers["content-type"]
    assert answer.status_code == document["status"]
    assert answer.headers["x-correlation-id"] == document["trace_id"]
    prefix, _, name = document["type"].rpartition("/")
    assert "https://orders.dev/problems" == prefix
    return str(name)


def pointers(answer: httpx.Response) -> list[str]:
    """Check that the answer is about validation; return where it points."""
    assert "invalid-request" == problem(answer)
    assert 400 == answer.status_code
    return [error["pointer"] for error in answer.json()["errors"]]


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
def test_a_batch_is_all_or_nothing(
    api: httpx.Client, server: Server, postgres: Databases, bad: int | str
) -> None:
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


def walk(client: httpx.Client, path: str, relation: str) -> list[list[int]]:
    """Follow a relation to its end; return the items of each page, oldest 1."""
    found = []
    while path:
        answer = client.get(path)
        found.append([int(order["item"]) for order in answer.json()])
        path = answer.links.get(relation, {}).get("url", "")
    return found


def test_pages_lead_forwards_and_backwards(pages: httpx.Client) -> None:
    """`next` leads through every order once, newest first, to the end; `prev` leads back."""
    forwards = walk(pages, "/orders?limit=97", "next")
    last = "0199d2f6-0000-7000-8000-000000000001"
    backwards = walk(pages, f"/orders?limit=97&before={last}", "prev")
    end = pages.get(f"/orders?after={last}")

    assert list(range(MANY, 0, -1)) == [item for page in forwards for item in page]
    assert {97} == {len(page) for page in forwards[:-1]}
    assert list(range(MANY, 1, -1)) == [item for page in backwards[::-1] for item in page]
    assert ([], ["prev"]) == (end.json(), list(end.links))
    assert [1] == walk(pages, end.links["prev"]["url"], "none")[0][-1:]
    assert 20 == len(pages.get("/orders").json())
    assert ["next"] == list(pages.get("/orders").links)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("limit=5&limit=5", "limit"),
        ("after=5", "after"),
        ("before=", "before"),
        ("page=2", "page"),
    ],
)
def test_a_bad_query_is_pointed_at(api: httpx.Client, query: str, pointer: str) -> None:
    """A query parameter that does not validate, is unknown or repeated is 400."""
    assert [f"#/query/{pointer}"] == pointers(api.get(f"/orders?{query}"))


def test_the_cost_of_a_page_does_not_grow(postgres: Databases, many: str) -> None:
    """The first and a far page are both read from the index, and touch no more rows than they give."""
    plans = []
    for place in (sql.LAST_ID, "0199d2f6-0000-7000-8000-000000000100"):
        query = sql.OLDER.replace("$1", f"'{place}'").replace("$2", "21")
        rows = postgres.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", many)
        document = rows[0][0]
        plans.append((json.loads(document) if isinstance(document, str) else document)[0]["Plan"])
    scans = [plan["Plans"][0] for plan in plans]

    assert {"Limit"} == {plan["Node Type"] for plan in plans}
    assert {"Index Scan"} == {scan["Node Type"] for scan in scans}
    assert {"Backward"} == {scan["Scan Direction"] for scan in scans}
    assert [21, 21] == [scan["Actual Rows"] for scan in scans]
    assert [None, None] == [scan.get("Rows Removed by Filter") for scan in scans]


def test_head_is_where_get_is(api: httpx.Client) -> None:
    """HEAD has the status and the headers of GET, and no body."""
    path = api.post("/orders", json=TEA).headers["location"]
    for target in (path, "/orders?limit=1", f"/orders/{uuid4()}", "/orders/5", "/docs"):
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
        ("PUT", f"/orders/{uuid4()}", "GET, HEAD, OPTIONS"),
        ("POST", f"/orders/{uuid4()}", "GET, HEAD, OPTIONS"),
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
    paths = ("/orders", f"/orders/{uuid4()}", "/nothing", "/docs", "/schema/openapi.json")
    fresh = [api.get(path).headers["x-correlation-id"] for path in paths]
    given = [api.get(path, headers=told).headers["x-correlation-id"] for path in paths]

    assert len(paths) == len(set(fresh))
    assert all(re.fullmatch("[0-9a-f]{32}", value) for value in fresh)
    assert [trace] * len(paths) == given
