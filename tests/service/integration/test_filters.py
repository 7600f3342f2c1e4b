"""Lists of some orders on the real server: exactly those, in pages, at the cost of a page."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from orders.store import statements
from orders.uuid7 import FIRST_ID, LAST_ID, first_id, last_id
from tests.helpers.migration_files import session
from tests.helpers.postgres import Databases
from tests.helpers.problem_document import problem
from tests.helpers.server import Server

MANY = 3_000
START = datetime(2026, 1, 31, 8, 15, 30, tzinfo=UTC)
"""Order n was created so many seconds later."""
ODD = 'ä "b" <c>&d=é+/%'
"""The item of every third order; one in a thousand is rare, the others are tea."""
RARE = "rare"
NO_TIME = "is not a time with its zone such as 2026-01-31T08:15:30Z"


def item_of(n: int) -> str:
    """Return what was ordered."""
    return RARE if n % 1000 == 1 else ODD if n % 3 == 0 else "tea"


def at(n: float) -> str:
    """Write the time of an order."""
    return (START + timedelta(seconds=n)).isoformat().replace("+00:00", "Z")


@pytest.fixture(scope="module")
def many(postgres: Databases) -> str:
    """Make a database of the orders."""
    url = postgres.migrated_database()
    rows = ", ".join(
        f"('{first_id(START + timedelta(seconds=n))}', '{item_of(n)}', {n + 1}, '{at(n)}')"
        for n in range(MANY)
    )
    sql = "INSERT INTO orders (id, item, quantity, created_at) VALUES "
    postgres.execute(sql + rows, url)
    postgres.execute("ANALYZE orders", url)
    return url


@pytest.fixture(scope="module")
def lists(many: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Open a client of a service with them."""
    started = Server(tmp_path_factory.mktemp("filters") / "serve.log", DATABASE_URL=many)
    started.wait_for()
    with httpx.Client(base_url=started.url, timeout=20) as client:
        yield client
    assert 0 == started.stop()


def walk(client: httpx.Client, parameters: dict[str, Any], relation: str) -> list[list[int]]:
    """Follow a relation from a page to its end; return the numbers of the orders of each page."""
    answer = client.get("/orders", params=parameters)
    found = []
    while True:
        assert 200 == answer.status_code, answer.text
        found.append([order["quantity"] - 1 for order in answer.json()])
        if relation not in answer.links:
            return found
        answer = client.get(answer.links[relation]["url"])


@pytest.mark.parametrize(
    ("wanted", "parameters"),
    [
        (lambda n: item_of(n) == ODD, {"item": ODD}),
        (lambda n: item_of(n) == RARE, {"item": RARE}),
        (lambda n: n >= 2_500, {"created_after": at(2_500)}),
        (lambda n: n > 2_500, {"created_after": at(2_500.0001)}),
        (lambda n: n < 500, {"created_before": at(500)}),
        (lambda n: n <= 500, {"created_before": at(500.0001)}),
        (lambda n: 700 <= n < 1100, {"created_after": at(700), "created_before": at(1100)}),
        (
            lambda n: 700 <= n < 1100 and item_of(n) == "tea",
            {"created_after": at(700), "created_before": at(1100), "item": "tea"},
        ),
        (
            lambda n: 60 <= n < 120,
            {
                "created_after": "2026-01-31T10:16:30+02:00",
                "created_before": "2026-01-31T03:47:30-04:30",
            },
        ),
    ],
)
def test_pages_have_exactly_what_is_asked_for(
    lists: httpx.Client, wanted: Any, parameters: dict[str, str]
) -> None:
    """`next` leads through all of them once, newest first, and `prev` back."""
    expected = [n for n in range(MANY - 1, -1, -1) if wanted(n)]

    forwards = walk(lists, {**parameters, "limit": 37}, "next")
    backwards = walk(lists, {**parameters, "limit": 37, "before": FIRST_ID}, "prev")

    assert expected == [n for page in forwards for n in page]
    assert expected == [n for page in backwards[::-1] for n in page]
    assert {37} >= {len(page) for page in [*forwards[:-1], *backwards[:-1]]}


@pytest.mark.parametrize(
    "parameters",
    [
        {"item": "Tea"},
        {"created_after": "9999-12-31T23:59:59Z"},
        {"created_before": "0001-01-01T00:00:00Z"},
        {"created_after": at(9), "created_before": at(9)},
        {"created_after": at(9), "created_before": at(5)},
    ],
)
def test_where_there_is_none_the_list_is_empty(
    lists: httpx.Client, parameters: dict[str, str]
) -> None:
    """Nothing matches, so there is nothing to lead to."""
    answer = lists.get("/orders", params=parameters)

    assert (200, [], {}) == (answer.status_code, answer.json(), answer.links)


def test_an_empty_page_leads_back_to_what_matches(lists: httpx.Client) -> None:
    """Beyond the ends of a span the links lead into it."""
    span: dict[str, Any] = {"created_after": at(5), "created_before": at(9), "limit": 3}
    beyond = lists.get("/orders", params={**span, "after": first_id(START)})
    above = lists.get("/orders", params={**span, "before": LAST_ID})

    assert ([], ["prev"]) == (beyond.json(), list(beyond.links))
    assert [[7, 6, 5], [8]] == walk_from(lists, beyond, "prev")
    assert ([], ["next"]) == (above.json(), list(above.links))
    assert [[8, 7, 6], [5]] == walk_from(lists, above, "next")


def walk_from(client: httpx.Client, answer: httpx.Response, relation: str) -> list[list[int]]:
    """Follow a relation of an answer to its end."""
    return walk(client, dict(httpx.URL(answer.links[relation]["url"]).params), relation)


async def test_a_page_reads_its_own_rows(many: str) -> None:
    """However rare an item is, the planner, who does not know which it is, reads no other rows."""
    low, high = last_id(START + timedelta(seconds=100)), first_id(START + timedelta(seconds=2900))
    plans = []
    async with session(many) as run:
        await run("SELECT set_config('plan_cache_mode', 'force_generic_plan', false)")
        for name, (older, newer) in {
            "any": (statements.OLDER, statements.NEWER),
            "one": (statements.OLDER_OF_ITEM, statements.NEWER_OF_ITEM),
        }.items():
            await run(f"PREPARE older_{name} AS {older}")
            await run(f"PREPARE newer_{name} AS {newer}")
        for name, more in [("any", ""), ("one", ", 'rare'"), ("one", ", 'tea'"), ("one", ", ''")]:
            for way, ends in (("older", (high, low)), ("newer", (low, high))):
                execute = f"EXECUTE {way}_{name}('{ends[0]}', '{ends[1]}', 21{more})"
                rows = await run(f"EXPLAIN (ANALYZE, FORMAT JSON) {execute}")
                document = rows[0][0]
                found = json.loads(document) if isinstance(document, str) else document
                plans.append(found[0]["Plan"])
    scans = [plan["Plans"][0] for plan in plans]

    assert {"Limit"} == {plan["Node Type"] for plan in plans}
    assert {"Index Scan"} == {scan["Node Type"] for scan in scans}
    assert ["orders_pkey"] * 2 + ["orders_item_id"] * 6 == [scan["Index Name"] for scan in scans]
    assert [21, 21, 2, 2, 21, 21, 0, 0] == [scan["Actual Rows"] for scan in scans]
    assert [None] * 8 == [scan.get("Rows Removed by Filter") for scan in scans]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("item=", "#/query/item: expected str of length >= 1"),
        (f"item={'x' * 201}", "#/query/item: expected str of length <= 200"),
        ("item=a%00b", "#/query/item: has a NUL character"),
        ("item=a&item=b", "#/query/item: is given more than once"),
        (
            "created_after=2026-01-31",
            f"#/query/created_after: {NO_TIME}",
        ),
        (
            "created_before=2026-01-31T08:15:30+02:00",
            f"#/query/created_before: {NO_TIME}; a + is written %2B in a URL",
        ),
    ],
)
def test_a_filter_that_is_none_is_pointed_at(lists: httpx.Client, query: str, detail: str) -> None:
    """What no order can have is a mistake of the caller's, who is told which."""
    answer = lists.get(f"/orders?{query}")

    assert "invalid-request" == problem(answer)
    assert detail == answer.json()["detail"]
