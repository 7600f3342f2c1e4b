"""`orders migrate` where Citus is installed, by what it calls.

No Citus is at hand: its catalogs and its function are stood in for, so these tests are true of the
calls that are made, and say nothing of what Citus does with them.
"""

import asyncio
import logging

import pytest

from orders.store.migrate import MigrationError, migrate
from tests.helpers.fake_citus import pretend_citus
from tests.helpers.migration_files import ask, session

ADD_WORKERS = """
INSERT INTO pg_dist_node SELECT n, 'primary', true, true FROM generate_series(1, 2) AS n
"""
CALLS = "SELECT arguments FROM calls ORDER BY number"


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "orders.migrate")


async def test_tables_are_distributed_once(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With workers, each table is distributed by its column, and logged; later runs do nothing."""
    await pretend_citus(database)
    await ask(database, ADD_WORKERS)

    await migrate(database)
    told = [line for line in caplog.messages if "distributed" in line]
    await migrate(database)

    assert [("orders id default",), ("order_keys key none",)] == await ask(database, CALLS)
    assert (
        [
            "orders is now distributed over the Citus workers",
            "order_keys is now distributed over the Citus workers",
        ]
        == told
        == [line for line in caplog.messages if "distributed" in line]
    )


async def test_runs_at_once_distribute_once(database: str) -> None:
    """However many runs start together."""
    await pretend_citus(database)
    await ask(database, ADD_WORKERS)

    await asyncio.gather(*(migrate(database) for _ in range(8)))

    assert [("orders id default",), ("order_keys key none",)] == await ask(database, CALLS)


async def test_tables_are_distributed_when_workers_come(database: str) -> None:
    """Without workers nothing is distributed; a run after they were added does it."""
    await pretend_citus(database)
    await migrate(database)
    before = await ask(database, CALLS)
    await ask(database, ADD_WORKERS)
    await migrate(database)

    assert [] == before
    assert 2 == len(await ask(database, CALLS))


async def test_what_citus_refuses_is_told(database: str) -> None:
    """The error has the server's words, and no table is distributed by half."""
    await pretend_citus(database)
    await ask(database, ADD_WORKERS)
    await ask(database, "ALTER TABLE calls ADD CHECK (arguments NOT LIKE 'order_keys%')")

    with pytest.raises(MigrationError, match=r"^cannot distribute the tables: new row "):
        await migrate(database)

    assert [] == await ask(database, CALLS)


async def test_a_locked_table_is_waited_for(database: str) -> None:
    """A table that somebody has locked is distributed once it is free."""
    await migrate(database)
    await pretend_citus(database)
    await ask(database, ADD_WORKERS)
    async with session(database) as run:
        await run("BEGIN")
        await run("LOCK TABLE calls")
        with pytest.raises(MigrationError) as caught:
            await migrate(database, lock_timeout=0.01)
        await run("COMMIT")
    await migrate(database)

    assert 75 == caught.value.exit_code
    assert 2 == len(await ask(database, CALLS))
