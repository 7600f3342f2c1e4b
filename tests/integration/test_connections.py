"""Held connections: how they are set up, and what is told when they cannot be made."""

import asyncio
import logging

import pytest

from orders.config import Config
from orders.store.connections import HeldConnection
from orders.store.connector import Connector
from orders.store.messages import Outage, explain
from tests.ports import free_port
from tests.postgres import Databases


def held(url: str, outage: Outage | None = None) -> HeldConnection:
    """Make a connection to a database; it is not open yet."""
    database = Config.from_env({"DATABASE_URL": url}).needed_database()
    return HeldConnection(Connector(database, statement_timeout=5), outage=outage)


@pytest.mark.parametrize(
    ("configured", "expected"),
    [("off", "on"), ("on", "on"), ("local", "local"), ("remote_apply", "remote_apply")],
)
async def test_a_commit_is_durable_whatever_the_database_is_set_to(
    database: str, postgres: Databases, configured: str, expected: str
) -> None:
    """`synchronous_commit` is never off on a held connection; what is safe stays as it is."""
    name = database.rpartition("/")[2]
    await asyncio.to_thread(
        postgres.execute, f"ALTER DATABASE {name} SET synchronous_commit = {configured}"
    )
    connection = held(database)
    connection.open()
    await connection.ready()
    sql = "SELECT current_setting('synchronous_commit') WHERE $1::int = 1"
    rows = await connection.fetch(sql, [1])
    await connection.close()

    assert [(expected,)] == rows


async def test_an_outage_is_told_once(database: str, caplog: pytest.LogCaptureFixture) -> None:
    """However many connections cannot be made, and however often, one line says why."""
    port = free_port()
    outage = Outage("here")
    nowhere = [held(f"postgresql://me@127.0.0.1:{port}/x", outage) for _ in range(3)]
    tried = asyncio.Event()
    failures = 0
    record = outage.failed

    def failed(connection: object, why: str) -> None:
        nonlocal failures
        failures += 1
        record(connection, why)
        if failures == 3 * len(nowhere):
            tried.set()

    outage.failed = failed  # type: ignore[method-assign]
    for connection in nowhere:
        connection.open()
    async with asyncio.timeout(10):
        await tried.wait()
    for connection in nowhere:
        await connection.close()

    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("cannot connect to here: ")
    assert database not in line


def test_the_end_of_an_outage_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """The last connection that stands again ends the outage; another one is told anew."""
    caplog.set_level(logging.INFO, "orders.store")
    outage = Outage("here")
    for _ in range(2):
        for connection in ("a", "b", "a"):
            outage.failed(connection, "refused")
        outage.connected("c")
        outage.connected("a")
        outage.connected("b")

    assert ["cannot connect to here: refused", "connected to here"] * 2 == caplog.messages


def test_the_row_is_left_out_of_a_message() -> None:
    """The server's DETAIL repeats what was sent, so it can be left out."""
    error = RuntimeError("db error: ERROR: refused\nDETAIL: Failing row has (secret).\nHINT: no")

    assert "refused; DETAIL: Failing row has (secret).; HINT: no" == explain(error)
    assert "refused" == explain(error, detail=False)
