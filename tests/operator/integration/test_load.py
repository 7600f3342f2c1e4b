"""A load on the real service: what it reports, and whether the table has what its ledger says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest

from orders_operator.load.engine import Load
from orders_operator.load.ledger import Entry
from orders_operator.load.settings import LoadSettings
from tests.helpers.postgres import Databases, PostgresServer
from tests.helpers.server import Server, eventually

Start = Callable[..., Server]

ROWS = """
SELECT id::text, key, item, quantity FROM orders LEFT JOIN order_keys ON ids = ARRAY[id]
"""


class Row(NamedTuple):
    """An order in the table, or in the ledger."""

    id: str | None
    key: str
    item: str
    quantity: int


async def stored(databases: Databases, url: str) -> list[Row]:
    """Return every order in the table."""
    rows = await asyncio.to_thread(databases.execute, ROWS, url)
    return [Row(*row) for row in rows]


def noted(load: Load) -> tuple[list[Row], set[str]]:
    """Return the acknowledged orders, and the keys whose end is unknown."""
    entries = list(load.ledger())
    known = [row(entry) for entry in entries if entry.id is not None]
    return known, {entry.key for entry in entries if entry.id is None}


def row(entry: Entry) -> Row:
    """Return what the table must have."""
    return Row(entry.id, entry.key, entry.item, entry.quantity)


@asynccontextmanager
async def running(settings: LoadSettings) -> AsyncIterator[Load]:
    """Have a load run, at least until a few orders are acknowledged."""
    load = Load(settings)
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run())
        await eventually(lambda: load.report().acknowledged > 20)
        yield load
        load.stop()


async def test_every_acknowledged_order_is_in_the_table(
    postgres: Databases, database_url: str, serve: Start
) -> None:
    """And nothing else; the report has every request, in all and by second."""
    server = serve(DATABASE_URL=database_url)
    load = Load(LoadSettings(server.url, rate=300, duration=1.5, renew=20))
    await load.run()
    known, unknown = noted(load)
    report = load.report()

    assert (450, 450, 0) == (report.requests, report.succeeded, report.failed)
    assert ({}, [], []) == (report.errors, report.failures, report.retries)
    assert {"201": report.acknowledged, "200": 450 - report.acknowledged} == report.statuses
    assert sorted(await stored(postgres, database_url)) == sorted(known)
    assert (set(), 0) == (unknown, report.unknown)
    assert [(0, 300), (1, 150)] == [(second.at, second.requests) for second in report.seconds]
    assert 450 == report.latency.count
    assert 0 < report.latency.p50 <= report.latency.p99 <= report.latency.max
    assert report.ended_at is not None
    assert report.started_at < report.ended_at


async def test_a_killed_service_fails_requests_and_the_ledger_stays_true(
    postgres: Databases, database_url: str, serve: Start
) -> None:
    """Each acknowledged order is in the table; what else is there has an unknown end."""
    server = serve(DATABASE_URL=database_url)
    watched = f"{server.url}/livez"
    settings = LoadSettings(server.url, rate=200, duration=None, watch=(watched,))
    async with running(settings) as load:
        await eventually(lambda: "200" in load.report().watched[watched].answers)
        server.process.kill()
        await eventually(lambda: load.report().failed > 50)
        await eventually(
            lambda: "ConnectionRefusedError" in load.report().watched[watched].answers
        )
    known, unknown = noted(load)
    rows = await stored(postgres, database_url)
    report = load.report()

    assert set(known) <= set(rows)
    assert {row.key for row in rows} - {row.key for row in known} <= unknown
    assert len(rows) == len({row.item for row in rows})
    assert report.requests == report.succeeded + report.failed
    assert report.failed == sum(report.errors.values()) == sum(s.failed for s in report.seconds)
    assert "ConnectionRefusedError" in report.errors
    assert {(None, 1)} == {(failure.status, failure.attempt) for failure in report.failures}
    assert 0 < report.watched[watched].longest_gap


async def test_with_retries_a_service_that_comes_back_loses_nothing(
    postgres: Databases, database_url: str, serve: Start
) -> None:
    """Every request succeeds in the end; no order is lost, none is doubled."""
    server = serve(DATABASE_URL=database_url)
    settings = LoadSettings(server.url, rate=100, duration=None, retries=8)
    async with running(settings) as load:
        server.process.kill()
        await eventually(lambda: load.report().retried > 20)
        await asyncio.to_thread(server.process.wait)
        serve(DATABASE_URL=database_url, HTTP_PORT=str(server.port))
        acknowledged = load.report().acknowledged
        await eventually(lambda: load.report().acknowledged > acknowledged + 50)
    known, unknown = noted(load)
    report = load.report()

    assert (0, [], set()) == (report.failed, report.failures, unknown)
    assert sorted(await stored(postgres, database_url)) == sorted(known)
    assert report.retried == sum(report.errors.values())
    assert {1} <= {failure.attempt for failure in report.retries}


@pytest.mark.parametrize(
    ("change", "status"),
    [("UPDATE orders SET quantity = quantity + 1", "200"), ("DELETE FROM orders", "404")],
)
async def test_a_read_of_something_else_is_a_mismatch(
    postgres: Databases, database_url: str, serve: Start, change: str, status: str
) -> None:
    """An acknowledged order that is another, or gone, fails its reads and no create."""
    server = serve(DATABASE_URL=database_url)
    async with running(LoadSettings(server.url, rate=200, duration=None)) as load:
        assert 0 == load.report().failed
        await asyncio.to_thread(postgres.execute, change, database_url)
        await eventually(lambda: load.report().failed > 10)
    report = load.report()

    assert {"Mismatch": report.failed} == report.errors
    assert {("GET", "Mismatch", int(status), "answered")} == {
        (failure.method, failure.what, failure.status, failure.phase)
        for failure in report.failures
    }


async def test_refusals_are_told_apart(private_postgres: PostgresServer, serve: Start) -> None:
    """With the database away there are refusals, how long they took, and a ledger that is true."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url, REQUEST_TIMEOUT="1")
    async with running(LoadSettings(server.url, rate=100, duration=None)) as load:
        await asyncio.to_thread(private_postgres.stop, "fast")
        await eventually(
            lambda: "database-unavailable" in {each.what for each in load.report().failures}
        )
    await asyncio.to_thread(private_postgres.start)
    known, unknown = noted(load)
    rows = await stored(private_postgres, url)
    report = load.report()

    assert set(known) <= set(rows)
    assert {row.key for row in rows} - {row.key for row in known} <= unknown
    assert report.failed == report.refused == report.statuses["503"]
    assert report.refused == report.refusal_latency.count
    assert ({}, 0) == (report.errors, report.retried)
