"""Lists on the real server: every order once, both ways, at the same cost anywhere."""

import json
from collections.abc import Iterator

import httpx
import pytest

from orders.store import statements
from orders.uuid7 import FIRST_ID, LAST_ID
from tests.helpers.postgres import Databases
from tests.helpers.problem_document import pointers
from tests.helpers.server import Server

MANY = 20_000


@pytest.fixture(scope="module")
def many(postgres: Databases) -> str:
    """Make a database of 20,000 orders; their items are numbered from the oldest, 1."""
    url = postgres.migrated_database()
    postgres.execute(
        "INSERT INTO orders SELECT ('0199d2f6-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,"
        " n::text, 1, now() FROM generate_series(1, 20000) AS n",
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


def test_the_cost_of_a_page_does_not_grow(postgres: Databases, many: str) -> None:
    """The first page and a far one read just their rows, and from the index."""
    plans = []
    for place in (LAST_ID, "0199d2f6-0000-7000-8000-000000000100"):
        query = statements.OLDER
        for number, value in enumerate([f"'{place}'", f"'{FIRST_ID}'", "21"], start=1):
            query = query.replace(f"${number}", value)
        rows = postgres.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", many)
        document = rows[0][0]
        plans.append((json.loads(document) if isinstance(document, str) else document)[0]["Plan"])
    scans = [plan["Plans"][0] for plan in plans]

    assert {"Limit"} == {plan["Node Type"] for plan in plans}
    assert {"Index Scan"} == {scan["Node Type"] for scan in scans}
    assert {"Backward"} == {scan["Scan Direction"] for scan in scans}
    assert [21, 21] == [scan["Actual Rows"] for scan in scans]
    assert [None, None] == [scan.get("Rows Removed by Filter") for scan in scans]


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
