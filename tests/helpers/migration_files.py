"""What the tests of migrations share: SQL files, and looks at the database from beside."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import psqlpy

from orders.store.schema import Fetch

GATE = 42
"""An advisory lock of the test: a file that asks for it stands still for as long as it is held."""
AT_GATE = f"SELECT pg_advisory_xact_lock({GATE});"
"""What such a file runs."""

Rows = list[tuple[Any, ...]]
T = TypeVar("T")


def write(directory: Path, **files: str) -> Path:
    """Write `_0001_name="SQL"` as 0001_name.sql."""
    for name, text in files.items():
        (directory / f"{name[1:]}.sql").write_text(text, encoding="utf-8")
    return directory


def fetching(connection: psqlpy.Connection) -> Fetch:
    """Make of a connection what `schema_version` asks with."""

    async def fetch(sql: str, parameters: list[Any]) -> Rows:
        return (await connection.fetch(sql, parameters)).result(as_tuple=True)

    return fetch


@asynccontextmanager
async def session(database: str) -> AsyncIterator[Callable[[str], Awaitable[Rows]]]:
    """Yield what runs a statement and returns its rows, all on one connection."""
    connection = await psqlpy.connect(dsn=database)

    async def run(sql: str) -> Rows:
        return (await connection.fetch(sql, prepared=False)).result(as_tuple=True)

    try:
        yield run
    finally:
        connection.close()


async def ask(database: str, sql: str) -> Rows:
    """Return the rows of one statement, run on a connection of its own."""
    async with session(database) as run:
        return await run(sql)


async def tables(database: str) -> list[str]:
    """Return the names of the tables, without the one that lists the migrations."""
    rows = await ask(
        database,
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"
        " AND tablename <> 'orders_migrations' ORDER BY 1",
    )
    return [row[0] for row in rows]


async def until(condition: Callable[[], Awaitable[T]]) -> T:
    """Poll a condition until it is true, and return what it was."""
    async with asyncio.timeout(20):
        while not (found := await condition()):  # noqa: ASYNC110  PostgreSQL sets no event
            await asyncio.sleep(0.01)
    return found


@asynccontextmanager
async def gate(database: str) -> AsyncIterator[Callable[[], Awaitable[list[int]]]]:
    """Hold the gate; yield what returns the process ids of the sessions that stand at it."""
    async with session(database) as run:
        await run(f"SELECT pg_try_advisory_lock({GATE})")

        async def waiting() -> list[int]:
            rows = await run(
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND"
                " database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            return [row[0] for row in rows]

        yield waiting
