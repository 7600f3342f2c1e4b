"""Held connections: how they are set up, and what is told when they cannot be made."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import pytest

from orders.config import Config
from orders.store.connections import HeldConnection
from orders.store.connector import Connector
from orders.store.driver_errors import Outage, explain
from orders.store.session import Statement
from orders.store.statements import WARM_READ
from tests.helpers.migration_files import session, until
from tests.helpers.ports import free_port
from tests.helpers.postgres import Databases, Rows


def held(url: str, outage: Outage | None = None, warm: Sequence[Statement] = ()) -> HeldConnection:
    """Make a connection to a database; it is not open yet."""
    database = Config.from_env({"DATABASE_URL": url}).needed_database()
    connector = Connector(database, statement_timeout=5)
    return HeldConnection(connector, warm=warm, outage=outage)


async def waits(ask: Callable[[str], Awaitable[Rows]]) -> bool:
    """Tell whether anybody waits for a lock."""
    return bool(await ask("SELECT 1 FROM pg_locks WHERE NOT granted"))


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


async def test_a_locked_table_keeps_no_connection_from_standing(
    database_url: str, postgres: Databases
) -> None:
    """What cannot be prepared in a moment is left for its first use, which waits for the lock."""
    async with session(database_url) as lock:
        await lock("BEGIN")
        await lock("LOCK TABLE orders")
        connection = held(database_url, warm=WARM_READ)
        connection.open()
        await connection.ready()
        waiting = await asyncio.to_thread(
            postgres.execute, "SELECT 1 FROM pg_locks WHERE NOT granted", database_url
        )
        reading = asyncio.ensure_future(connection.fetch(*WARM_READ[0]))
        await until(lambda: waits(lock))
        await lock("COMMIT")
        found = await reading
    await connection.close()

    assert [] == waiting
    assert [] == found
