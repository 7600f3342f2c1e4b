"""`orders migrate` on a real PostgreSQL: each file once, whole or not at all."""

import asyncio
import json
import logging
from itertools import chain
from pathlib import Path

import psqlpy
import pytest

from orders import __version__
from orders.config import Config
from orders.store.apply import LOCK_KEY
from orders.store.migrate import MigrationError, main, migrate, status
from orders.store.schema import REQUIRED_VERSION, schema_version
from tests.helpers.migration_files import ask, fetching, session, tables, write


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "orders.migrate")


async def test_fresh_database_gets_every_file(database: str) -> None:
    """An empty database ends at the version that the server needs."""
    async with session(database):
        connection = await psqlpy.connect(dsn=database)
        assert 0 == await schema_version(fetching(connection))

        done = await migrate(database)

        assert (
            REQUIRED_VERSION
            == await schema_version(fetching(connection))
            == done.version
            == len(done.applied)
        )
        connection.close()
    assert ["order_keys", "orders"] == await tables(database)


async def test_repeated_run_does_nothing(database: str, tmp_path: Path) -> None:
    """A run with nothing pending takes no lock: it passes while another one is at work."""
    write(tmp_path, _0001_a="CREATE TABLE a ();")
    assert ["0001_a.sql"] == (await migrate(database, directory=tmp_path)).applied

    async with session(database) as run:
        await run(f"SELECT pg_try_advisory_lock({LOCK_KEY})")
        assert [] == (await migrate(database, directory=tmp_path)).applied


async def test_32_runs_at_once_apply_each_file_once(database: str, tmp_path: Path) -> None:
    """Any number of runs may start together; all succeed, and each file is applied once."""
    write(
        tmp_path,
        _0001_a="CREATE TABLE a (n int);",
        _0002_b="INSERT INTO a VALUES (2);",
        _0003_c="-- orders: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS a_n ON a (n);",
        _0004_d="INSERT INTO a VALUES (4);",
    )

    done = await asyncio.gather(*(migrate(database, directory=tmp_path) for _ in range(32)))

    assert ["0001_a.sql", "0002_b.sql", "0003_c.sql", "0004_d.sql"] == sorted(
        chain(*(outcome.applied for outcome in done))
    )
    assert [(2,), (4,)] == await ask(database, "SELECT n FROM a ORDER BY n")


def test_failing_file_leaves_nothing_of_itself(
    database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that fails is named with the server's message; those before it stay."""
    write(
        tmp_path,
        _0001_a="CREATE TABLE a ();",
        _0002_b="CREATE TABLE b (n int PRIMARY KEY); INSERT INTO b VALUES (1), (1);",
        _0003_c="CREATE TABLE c ();",
    )
    config = Config.from_env({"DATABASE_URL": database})

    code = main(config, wait=0, status=False, to=None, directory=tmp_path)

    assert 1 == code
    assert (
        '0002_b.sql: duplicate key value violates unique constraint "b_pkey"; DETAIL: Key (n)=(1)'
        " already exists.; nothing of 0002_b.sql was applied"
    ) == caplog.messages[-1]
    assert ["a"] == asyncio.run(tables(database))

    write(tmp_path, _0002_b="CREATE TABLE b ();")
    assert 0 == main(config, wait=0, status=False, to=None, directory=tmp_path)
    assert ["a", "b", "c"] == asyncio.run(tables(database))


async def test_changed_file_is_refused(database: str, tmp_path: Path) -> None:
    """A file that changed after it was applied stops the run, with both checksums."""
    write(tmp_path, _0001_a="CREATE TABLE a ();")
    await migrate(database, directory=tmp_path)
    [(kept,)] = await ask(database, "SELECT checksum FROM orders_migrations")
    write(tmp_path, _0001_a="CREATE TABLE a (n int);", _0002_b="CREATE TABLE b ();")

    with pytest.raises(MigrationError) as caught:
        await migrate(database, directory=tmp_path)

    assert str(caught.value).startswith(
        f"0001_a.sql: changed after it was applied: the database has the checksum {kept}, the file"
    )
    assert ["a"] == await tables(database)
    assert ["changed", "pending"] == [
        entry.state for entry in await status(database, directory=tmp_path)
    ]


def test_to_stops_at_a_number(
    database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """`--to` applies up to a number; one that no file has is a wrong argument, none goes down."""
    write(tmp_path, _0001_a="CREATE TABLE a ();", _0002_b="CREATE TABLE b ();", _0003_c="SELECT 1")
    config = Config.from_env({"DATABASE_URL": database})

    def run(to: int) -> int:
        return main(config, wait=0, status=False, to=to, directory=tmp_path)

    assert 0 == run(2)
    assert ["a", "b"] == asyncio.run(tables(database))
    assert 2 == run(4)
    assert "--to 4: there is no such migration; allowed: 1 to 3" == caplog.messages[-1]
    assert 2 == run(0)
    assert 1 == run(1)
    assert caplog.messages[-1].startswith("the database is at version 2: migrations only expand")


def test_status_tells_by_its_exit_code(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--status` is 3 while a file is pending, 0 when none is, 1 when one changed."""
    write(tmp_path, _0001_first="CREATE TABLE a ();", _0002_b="CREATE TABLE b ();")
    config = Config.from_env({"DATABASE_URL": database})

    def run(to: int | None = None, *, status: bool = True) -> int:
        return main(config, wait=0, status=status, to=to, directory=tmp_path)

    assert 3 == run()
    assert (
        "version  name   state    applied at\n"
        "0001     first  pending  -\n"
        "0002     b      pending  -\n"
    ) == capsys.readouterr().out
    assert [] == asyncio.run(tables(database))
    assert 0 == run(to=1, status=False)
    assert 3 == run()
    assert 0 == run(to=1)
    assert 0 == run(status=False)
    assert 0 == run()
    write(tmp_path, _0002_b="CREATE TABLE changed ();")
    capsys.readouterr()
    assert 1 == run()
    assert "0002     b      changed  20" in capsys.readouterr().out


def test_database_that_is_newer_is_left_alone(
    database: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A version that this release does not know is said, and no error."""
    write(tmp_path, _0001_a="CREATE TABLE a ();", _0002_later="CREATE TABLE later ();")
    config = Config.from_env({"DATABASE_URL": database})
    assert 0 == main(config, wait=0, status=False, to=None, directory=tmp_path)
    (tmp_path / "0002_later.sql").unlink()

    assert 0 == main(config, wait=0, status=False, to=None, directory=tmp_path)
    assert caplog.messages[-1].startswith("the database is at version 2 (later, applied by orders")
    assert 0 == main(config, wait=0, status=True, to=None, directory=tmp_path)
    assert "0002     later  unknown  20" in capsys.readouterr().out


def test_database_that_does_not_answer_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Without `--wait` there is one try; the message has the host and never the password."""
    write(tmp_path, _0001_a="SELECT 1")
    config = Config.from_env({"DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:1/orders"})

    assert 75 == main(config, wait=0, status=False, to=None, directory=tmp_path)

    [message] = caplog.messages
    assert message.startswith("cannot connect to 127.0.0.1:1/orders: ")
    assert "Connection refused" in message
    assert "hunter2" not in message


async def test_settings_of_a_file_end_with_it(database: str, tmp_path: Path) -> None:
    """What a file SETs for its session (as pg_dump's output does) is not there for the next."""
    write(
        tmp_path,
        _0001_a="SELECT set_config('search_path', '', false); CREATE TABLE public.a ();",
        _0002_b="CREATE TABLE b ();",
    )

    assert 2 == len((await migrate(database, directory=tmp_path)).applied)
    assert ["a", "b"] == await tables(database)


async def test_version_is_told_without_the_table(database: str, tmp_path: Path) -> None:
    """The version of a database without migrations is 0, as is that of an empty table."""
    connection = await psqlpy.connect(dsn=database)
    assert 0 == await schema_version(fetching(connection))
    await migrate(database, directory=write(tmp_path, _0001_a="SELECT 1"))
    assert 1 == await schema_version(fetching(connection))
    await ask(database, "DELETE FROM orders_migrations")
    assert 0 == await schema_version(fetching(connection))
    await ask(database, "DROP TABLE orders_migrations")
    assert 0 == await schema_version(fetching(connection))
    connection.close()


def test_the_report_tells_release_and_version(
    database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """`--report` leaves the release and the schema's version in a file, or says why it cannot."""
    files = write(tmp_path, _0001_a="CREATE TABLE a ();", _0002_b="CREATE TABLE b ();")
    config = Config.from_env({"DATABASE_URL": database})

    def run(report: Path) -> int:
        return main(config, wait=0, status=False, to=None, report=report, directory=files)

    assert 0 == run(tmp_path / "report")
    assert {"version": __version__, "schema": 2} == json.loads((tmp_path / "report").read_text())
    assert 1 == run(tmp_path / "absent" / "report")
    assert caplog.messages[-1].endswith("absent/report: No such file or directory")
