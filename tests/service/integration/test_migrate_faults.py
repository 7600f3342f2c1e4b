"""`orders migrate` when something breaks: what is left behind, and what a second try finds."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

import psqlpy
import pytest

from orders.store import ledger
from orders.store.apply import LOCK_KEY
from orders.store.migrate import MigrationError, migrate
from tests.helpers.migration_files import AT_GATE, ask, gate, session, tables, until, write
from tests.helpers.postgres import PostgresServer


async def told_to_wait(caplog: pytest.LogCaptureFixture) -> bool:
    """Tell whether a run has met an obstacle that it waits for."""
    return any("trying again" in message for message in caplog.messages)


async def test_wait_lets_the_server_start_late(
    private_postgres: PostgresServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With `--wait` the run may begin before the server; without, it fails at once."""
    caplog.set_level(logging.INFO, "orders.migrate")
    write(tmp_path, _0001_a="CREATE TABLE a ();")
    database = private_postgres.database()
    await asyncio.to_thread(private_postgres.stop)
    try:
        with pytest.raises(MigrationError, match="cannot connect to "):
            await migrate(database, directory=tmp_path)
        run = asyncio.create_task(migrate(database, wait=60, directory=tmp_path))
        await until(lambda: told_to_wait(caplog))
    finally:
        await asyncio.to_thread(private_postgres.start)

    assert ["0001_a.sql"] == (await run).applied
    assert ["a"] == await tables(database)


async def test_connection_lost_in_the_middle_applies_nothing(
    database: str, tmp_path: Path
) -> None:
    """When the server ends the session in the middle of a file, the file is as if never begun."""
    write(tmp_path, _0001_a="CREATE TABLE a ();", _0002_b=f"CREATE TABLE b (); {AT_GATE}")

    async with gate(database) as waiting:
        run = asyncio.create_task(migrate(database, directory=tmp_path, lock_timeout=60))
        [pid] = await until(waiting)
        await ask(database, f"SELECT pg_terminate_backend({pid})")
        with pytest.raises(MigrationError, match=r"^0002_b\.sql: the connection was lost: FATAL"):
            await run

    assert ["a"] == await tables(database)
    assert ["0002_b.sql"] == (await migrate(database, directory=tmp_path)).applied
    assert ["a", "b"] == await tables(database)


async def test_wait_outlasts_a_lost_connection(database: str, tmp_path: Path) -> None:
    """With `--wait` the file is tried again on a new connection."""
    write(tmp_path, _0001_a=f"CREATE TABLE a (); {AT_GATE}")

    async with gate(database) as waiting:
        run = asyncio.create_task(migrate(database, wait=20, directory=tmp_path, lock_timeout=60))
        [first] = await until(waiting)
        await ask(database, f"SELECT pg_terminate_backend({first})")

        async def another() -> bool:
            return [first] != await waiting() != []

        await until(another)

    assert ["0001_a.sql"] == (await run).applied
    assert ["a"] == await tables(database)


async def test_killed_run_gives_up_its_lock(database: str, tmp_path: Path) -> None:
    """The lock of a process that is killed in the middle of a long statement does not stay."""
    write(tmp_path, _0001_a=f"CREATE TABLE a (); {AT_GATE}")
    code = (
        "import asyncio, sys; from pathlib import Path; from orders.store.migrate import migrate;"
        "asyncio.run(migrate(sys.argv[1], directory=Path(sys.argv[2]), lock_timeout=60))"
    )

    async with gate(database) as waiting:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, database, str(tmp_path), env=os.environ
        )
        await until(waiting)
        process.kill()
        await process.wait()

        async def free() -> bool:
            return [(True,)] == await ask(
                database, f"SELECT pg_try_advisory_xact_lock({LOCK_KEY})"
            )

        await until(free)

    assert [] == await tables(database)
    assert ["0001_a.sql"] == (await migrate(database, directory=tmp_path)).applied


async def test_locked_table_is_not_waited_for_without_end(
    database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that needs a locked table makes way, and is tried again within `--wait`."""
    caplog.set_level(logging.INFO, "orders.migrate")
    write(tmp_path, _0001_a="CREATE TABLE a ();")
    await migrate(database, directory=tmp_path)
    write(tmp_path, _0002_b="CREATE TABLE b (); ALTER TABLE a ADD n int;")

    async with session(database) as traffic:
        await traffic("BEGIN")
        await traffic("SELECT FROM a")
        with pytest.raises(MigrationError, match="lock timeout; nothing of 0002_b"):
            await migrate(database, directory=tmp_path, lock_timeout=0.01)
        assert ["a"] == await tables(database)

        run = asyncio.create_task(
            migrate(database, wait=20, directory=tmp_path, lock_timeout=0.01)
        )

        await until(lambda: told_to_wait(caplog))
        await traffic("COMMIT")

    assert ["0002_b.sql"] == (await run).applied


async def test_index_that_failed_to_build_is_built_anew(database: str, tmp_path: Path) -> None:
    """A concurrent build that fails leaves no invalid index, neither its own nor an older one."""
    unique = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_n ON a (n)"
    indexes = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('a_n')"
    write(
        tmp_path,
        _0001_a="CREATE TABLE a (n int); INSERT INTO a VALUES (1), (1);",
        _0002_b=f"-- orders: no-transaction\n{unique};",
    )

    with pytest.raises(MigrationError, match=r"^0002_b\.sql: could not create unique index"):
        await migrate(database, directory=tmp_path)
    assert [] == await ask(database, indexes)

    with pytest.raises(psqlpy.exceptions.Error):
        await ask(database, unique)
    assert [(False,)] == await ask(database, indexes)
    await ask(database, "DELETE FROM a WHERE ctid <> (SELECT min(ctid) FROM a)")
    assert ["0002_b.sql"] == (await migrate(database, directory=tmp_path)).applied
    assert [(True,)] == await ask(database, indexes)


async def test_table_made_meanwhile_is_seen(database: str, tmp_path: Path) -> None:
    """A transaction that has looked for the table in vain sees it once another run has made it."""
    write(tmp_path, _0001_a="SELECT 1")
    slower = await psqlpy.connect(dsn=database)
    await slower.execute_batch("BEGIN")
    await slower.fetch("SELECT to_regclass('orders_migrations') IS NULL")

    await migrate(database, directory=tmp_path)

    assert [1] == [row.version for row in await ledger.create_and_read(slower)]
    slower.close()


async def command(database: str) -> asyncio.subprocess.Process:
    """Start `orders migrate` in a process of its own."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "orders", "migrate", "--wait", "60"),
        env=os.environ | {"DATABASE_URL": database},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_many_processes_at_once_all_succeed(database: str) -> None:
    """24 processes migrate one database; each ends with 0, whatever the driver is still at."""
    runs = [await command(database) for _ in range(24)]
    outputs = [output for output, _ in await asyncio.gather(*(run.communicate() for run in runs))]

    assert [(0, output) for output in outputs] == [
        (run.returncode, output) for run, output in zip(runs, outputs, strict=True)
    ]
    assert all(b"the schema is at version" in output for output in outputs)


async def test_sigterm_ends_a_run_that_waits(database: str) -> None:
    """A run that waits for another one ends with the signal's status when it is told to."""
    async with session(database) as hold:
        await hold(f"SELECT pg_try_advisory_lock({LOCK_KEY})")
        run = await command(database)
        assert run.stdout is not None
        waiting = await run.stdout.readuntil(b"trying again")
        run.terminate()
        output, _ = await run.communicate()

    assert b"Traceback" not in waiting + output
    assert 128 + signal.SIGTERM == run.returncode
