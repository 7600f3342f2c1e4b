"""`orders purge` on a real PostgreSQL: what is older goes with its keys, and nothing else."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from orders.config import Config, Database
from orders.store.migrations import MAY_PASS
from orders.store.purge import BATCH, Purged, PurgeError, purge
from orders.store.schema import REQUIRED_VERSION
from orders.uuid7 import first_id
from tests.helpers.migration_files import AT_GATE, Rows, ask, gate, until
from tests.helpers.postgres import Databases
from tests.helpers.server import Server

BEFORE = datetime(2026, 1, 31, tzinfo=UTC)
OLD = BEFORE - timedelta(days=1)
ROLE = "orders_test_reader"


def at(url: str) -> Database:
    """Say where."""
    return Config.from_env({"DATABASE_URL": url}).needed_database()


async def add(url: str, created: datetime, number: int = 1, *, item: str = "tea") -> list[str]:
    """Insert orders of one millisecond; return their ids in order."""
    rows = await ask(
        url,
        "INSERT INTO orders (id, item, quantity, created_at)"  # noqa: S608  the test's own
        f" SELECT ('{first_id(created)[:-12]}' || lpad(to_hex(n), 12, '0'))::uuid, '{item}', 1,"
        f" '{created.isoformat()}' FROM generate_series(1, {number}) AS n RETURNING id::text",
    )
    return sorted(row[0] for row in rows)


async def add_key(url: str, key: str, *ids: str) -> None:
    """Insert a key that has these orders."""
    array = ", ".join(f"'{order_id}'::uuid" for order_id in ids)
    sql = f"INSERT INTO order_keys (key, ids) VALUES ('{key}', ARRAY[{array}])"  # noqa: S608  the same
    await ask(url, sql)


async def stored(url: str) -> tuple[list[str], list[str]]:
    """Return the ids of all orders, and all keys."""
    ids = await ask(url, "SELECT id::text FROM orders ORDER BY id")
    keys = await ask(url, "SELECT key FROM order_keys ORDER BY key")
    return [row[0] for row in ids], [row[0] for row in keys]


async def stop_at(url: str, item: str) -> None:
    """Have whoever deletes orders of this item stand still at the gate."""
    await ask(
        url,
        "CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" BEGIN PERFORM {AT_GATE.removeprefix('SELECT ')} RETURN OLD; END $$",
    )
    await ask(
        url,
        "CREATE TRIGGER stand_still BEFORE DELETE ON orders FOR EACH ROW"
        f" WHEN (OLD.item = '{item}') EXECUTE FUNCTION stand_still()",
    )


async def test_what_is_older_goes_with_its_keys(database_url: str) -> None:
    """An order of the very time stays, as does a key of which one order stays."""
    [old] = await add(database_url, BEFORE - timedelta(milliseconds=1))
    [at_the_time] = await add(database_url, BEFORE)
    await add_key(database_url, "gone", old)
    await add_key(database_url, "both", old, at_the_time)
    await add_key(database_url, "kept", at_the_time)
    await add_key(database_url, "of an order that was deleted by hand", first_id(OLD))

    assert Purged(1, 2, deleted=True) == await purge(at(database_url), BEFORE, delete=True)
    assert ([at_the_time], ["both", "kept"]) == await stored(database_url)


async def test_without_delete_it_counts(database_url: str) -> None:
    """Nothing goes unless a person says so, and the numbers are exact."""
    ids = await add(database_url, OLD, 2 * BATCH + 1)
    await add_key(database_url, "one", ids[0])
    before = await stored(database_url)

    assert Purged(len(ids), 1) == await purge(at(database_url), BEFORE)
    assert before == await stored(database_url)


async def test_an_order_of_another_id_goes_by_its_time(database_url: str) -> None:
    """An id that somebody else made, which seems to be old, deletes no order that is not."""
    await ask(
        database_url,
        "INSERT INTO orders VALUES ('00000000-0000-4000-8000-000000000001', 'tea', 1, now())",
    )

    assert Purged(0, 0, deleted=True) == await purge(at(database_url), BEFORE, delete=True)
    assert 1 == len((await stored(database_url))[0])


async def test_it_reads_no_table_whole(database_url: str) -> None:
    """Keys are found by the index of their last orders, orders by their primary key."""
    ids = await add(database_url, OLD, 10)
    await add_key(database_url, "one", ids[0])

    await purge(at(database_url), BEFORE, delete=True)

    async def scans() -> Rows:
        rows = await ask(
            database_url,
            "SELECT seq_scan, idx_scan FROM pg_stat_user_tables"
            " WHERE relname IN ('orders', 'order_keys')",
        )
        return rows if all(by_index for _, by_index in rows) else []  # they come late

    assert [0, 0] == [whole for whole, _ in await until(scans)]


async def test_a_run_that_was_cut_off_is_continued(database_url: str) -> None:
    """What is deleted stays deleted; it says how far it came, and the next run does the rest."""
    await add(database_url, OLD, BATCH)
    await add(database_url, OLD + timedelta(hours=1), item="stop")
    await stop_at(database_url, "stop")

    async with gate(database_url) as waiting:
        run = asyncio.create_task(purge(at(database_url), BEFORE, delete=True))
        [pid] = await until(waiting)
        await ask(database_url, f"SELECT pg_terminate_backend({pid})")
        with pytest.raises(PurgeError) as caught:
            await run

    assert MAY_PASS == caught.value.exit_code
    assert str(caught.value).endswith(
        f"; deleted {BATCH} orders and 0 idempotency keys so far,"
        " all from before 2026-01-30T01:00:00+00:00"
    )
    assert Purged(1, 0, deleted=True) == await purge(at(database_url), BEFORE, delete=True)


async def test_with_wait_it_goes_on_by_itself(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that is lost is made anew for as long as it may wait."""
    caplog.set_level(logging.INFO, "orders.purge")
    await add(database_url, OLD, BATCH + 1, item="stop")
    await stop_at(database_url, "stop")

    async with gate(database_url) as waiting:
        run = asyncio.create_task(purge(at(database_url), BEFORE, delete=True, wait=30))
        [pid] = await until(waiting)
        await ask(database_url, f"SELECT pg_terminate_backend({pid})")
        await until(lambda: _told(caplog, "trying again"))

    assert BATCH + 1 == (await run).orders


async def test_two_runs_at_once(database_url: str) -> None:
    """They share the work, and each order is counted once."""
    await add(database_url, OLD, 5 * BATCH)

    runs = await asyncio.gather(
        *(purge(at(database_url), BEFORE, delete=True, share=1) for _ in range(2))
    )

    assert 5 * BATCH == sum(run.orders for run in runs)
    assert ([], []) == await stored(database_url)


async def test_an_older_schema_is_refused(database: str) -> None:
    """Without its index a run would read all keys for every batch."""
    with pytest.raises(PurgeError) as caught:
        await purge(at(database), BEFORE)

    assert (
        f"the schema is at version 0, and this release needs {REQUIRED_VERSION}:"
        " run `orders migrate` first"
    ) == str(caught.value)


@pytest.fixture
def reader_url(database_url: str, postgres: Databases) -> Iterator[str]:
    """Make a role that may do what a server does; the URL of the database for it."""
    postgres.execute(f"CREATE ROLE {ROLE} LOGIN")
    grant = f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {ROLE}"
    postgres.execute(grant, database_url)
    place = urlsplit(database_url)
    yield place._replace(netloc=f"{ROLE}@{place.hostname}:{place.port}").geturl()
    postgres.execute(f"DROP OWNED BY {ROLE}", database_url)
    postgres.execute(f"DROP ROLE {ROLE}")


async def test_the_role_that_serves_may_only_count(reader_url: str) -> None:
    """To delete takes a right that serving does not."""
    await add(reader_url, OLD)

    assert Purged(1, 0) == await purge(at(reader_url), BEFORE)
    with pytest.raises(PurgeError) as caught:
        await purge(at(reader_url), BEFORE, delete=True)
    assert (
        1,
        "the database refused: permission denied for table order_keys; deleted nothing so far",
    ) == (caught.value.exit_code, str(caught.value))


def test_the_command(postgres: Databases, serve: Callable[..., Server]) -> None:
    """Beside a server: it counts, then deletes; a key that went makes a new order."""
    url = postgres.migrated_database()
    server = serve(DATABASE_URL=url)
    [kept, _] = [place(server, key) for key in ("a", "b")]
    for aged in (
        "UPDATE orders SET id = '{0}', created_at = '{1}' WHERE id <> '{2}'",
        "UPDATE order_keys SET ids = ARRAY['{0}'::uuid] WHERE key = 'b'",
    ):
        postgres.execute(aged.format(first_id(OLD), OLD.isoformat(), kept), url)

    assert (
        "older than 2026-01-31T00:00:00+00:00: 1 order and 1 idempotency key;"
        " add --delete to delete them"
    ) in command(url)
    assert (
        "deleted, older than 2026-01-31T00:00:00+00:00: 1 order and 1 idempotency key"
    ) in command(url, "--delete")
    assert kept == place(server, "a")
    assert place(server, "b") not in {kept, first_id(OLD)}


def place(server: Server, key: str) -> str:
    """Create an order under a key; return its id."""
    sent = {"item": "tea", "quantity": 1}
    answer = httpx.post(f"{server.url}/orders", json=sent, headers={"Idempotency-Key": key})
    assert 201 == answer.status_code
    return str(answer.json()["id"])


def command(url: str, *arguments: str) -> str:
    """Run `orders purge`; return what it logged."""
    done = subprocess.run(
        [sys.executable, "-m", "orders", "purge", "--before", "2026-01-31", *arguments],
        env={"DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout + done.stderr


async def _told(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return any(text in message for message in caplog.messages)
