"""What the rules of `orders migrate check` say, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psqlpy
import pytest

from orders.store.check.check import RULES
from orders.store.check.functions import PLAIN, VOLATILE
from orders.store.check.rule import Rule
from orders.store.migrate import migrate
from orders.store.migrations import NO_TRANSACTION
from tests.helpers.migration_files import Rows, ask, session, until, write

BEFORE = """
CREATE TABLE customers (
    id uuid PRIMARY KEY,
    reference integer CONSTRAINT customers_reference UNIQUE,
    email text NOT NULL,
    name text,
    region text NOT NULL DEFAULT 'eu',
    visits integer NOT NULL DEFAULT 0,
    closed_at timestamptz
);
CREATE UNIQUE INDEX customers_email ON customers (email);
CREATE TABLE invoices (customer uuid);
CREATE SEQUENCE invoice_numbers;
CREATE TYPE tier AS ENUM ('basic', 'plus');
CREATE VIEW customer_names AS SELECT gen_random_uuid() AS id, 'Ada'::text AS name;
CREATE MATERIALIZED VIEW customers_by_region AS SELECT 'eu' AS region, 1 AS customers;
CREATE UNIQUE INDEX ON customers_by_region (region);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
"""
"""The schema of the release before, which the examples are about."""
ROWS = """
INSERT INTO customers (id, email, name)
SELECT gen_random_uuid(), 'a' || n, 'b' || n FROM generate_series(1, 1000) AS n;
"""
INSERT = "INSERT INTO customers (id, email) VALUES (gen_random_uuid(), 'a')"

SAYS = {
    "drop-table": "SELECT id FROM customers",
    "drop-column": "SELECT name FROM customers",
    "drop-view": "SELECT name FROM customer_names",
    "drop-type": "SELECT 'basic'::tier",
    "blocking-drop-index": f"{INSERT} ON CONFLICT (email) DO NOTHING",
    "drop-object": "SELECT nextval('invoice_numbers')",
    "drop-constraint": f"{INSERT} ON CONFLICT ON CONSTRAINT customers_reference DO NOTHING",
    "drop-default": INSERT,
    "rename": "SELECT name FROM customers",
    "required-column": INSERT,
    "set-not-null": INSERT,
    "new-check": "INSERT INTO customers (id, email, visits) VALUES (gen_random_uuid(), 'a', -1)",
    "new-foreign-key": "INSERT INTO invoices VALUES (gen_random_uuid())",
    "blocking-unique": "INSERT INTO customers (id, email, name)"
    " VALUES (gen_random_uuid(), 'x', 'c'), (gen_random_uuid(), 'y', 'c')",
}
"""What the release before says to the database, and fails with after the example."""
STILL_SAYS = {"rename", "required-column"}
"""Those of them that it may go on to say when the safe way was gone."""

BLOCKING = {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"}
"""The modes that conflict with ROW EXCLUSIVE, that of a write."""
LOCKS = """
SELECT relation::int8, mode FROM pg_locks WHERE pid = pg_backend_pid() AND granted
"""
TABLES = """
SELECT relid::int8, pg_relation_filenode(relid)::int8, seq_scan
FROM pg_stat_xact_user_tables WHERE relname IN ('customers', 'invoices')
"""
"""Where the rows of each table are, and how often this transaction has read them all."""
WORKING = {
    "change-type",
    "set-not-null",
    "new-check",
    "new-foreign-key",
    "blocking-unique",
    "blocking-create-index",
    "blocking-reindex",
    "rewrite",
    "lock-kept",
}
"""Rules about what reads or writes a table from end to end while it is locked."""
LOCKING = WORKING | {"truncate", "blocking-drop-index", "lock-table", "trigger"}
"""Rules about what locks out the writes of a table, for however long."""
RULE = {rule.name: rule for rule in RULES}
TRANSACTIONAL = [rule for rule in RULES if not rule.refused.startswith(NO_TRANSACTION)]


async def apply(database: str, directory: Path, *texts: str) -> None:
    """Run files after the one that makes the schema."""
    write(directory, _0001_before=BEFORE)
    write(directory, **{f"_{n:04}_x": text for n, text in enumerate(texts, start=2)})
    await migrate(database, directory=directory)


class Trial:
    """A transaction that is rolled back at its end."""

    def __init__(self, connection: psqlpy.Connection) -> None:
        self.run = connection.execute_batch
        self._fetch = connection.fetch

    async def ask(self, sql: str) -> Rows:
        """Return the rows of a statement."""
        return (await self._fetch(sql, prepared=False)).result(as_tuple=True)

    async def work(self, text: str) -> tuple[bool, bool]:
        """Run a file.

        Returns:
            Whether it locked out the writes of a table that was there, and whether it read or
            wrote such a table from end to end.
        """
        before = set(await self.ask(TABLES))
        await self.run(text)
        blocked = {relid for relid, mode in await self.ask(LOCKS) if mode in BLOCKING}
        worked = set(await self.ask(TABLES)) - before
        return bool(blocked & {row[0] for row in before}), bool(worked)


@asynccontextmanager
async def trial(database: str) -> AsyncIterator[Trial]:
    """Begin a transaction, and roll it back."""
    connection = await psqlpy.connect(dsn=database)
    try:
        await connection.execute_batch("BEGIN")
        yield Trial(connection)
    finally:
        connection.close()


async def test_examples_are_sql(database: str, tmp_path: Path) -> None:
    """PostgreSQL takes what a rule refuses, so nothing but the check would stop it."""
    await apply(database, tmp_path)
    for rule in TRANSACTIONAL:
        async with trial(database) as it:
            await it.run(rule.refused)


@pytest.mark.parametrize(
    "rule", [it for it in RULES if it not in TRANSACTIONAL], ids=lambda rule: rule.name
)
async def test_examples_outside_a_transaction_are_sql(
    rule: Rule, database: str, tmp_path: Path
) -> None:
    """The same, of those that go alone."""
    await apply(database, tmp_path, rule.refused)


async def test_the_release_before_fails(database: str, tmp_path: Path) -> None:
    """What it could say, it cannot after the example."""
    await apply(database, tmp_path)
    for name, said in SAYS.items():
        async with trial(database) as it:
            await it.run(said)
        async with trial(database) as it:
            await it.run(RULE[name].refused)
            with pytest.raises(psqlpy.exceptions.Error):
                await it.run(said)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
async def test_the_safe_way_is_one(rule: Rule, database: str, tmp_path: Path) -> None:
    """Each step runs where there are rows, and lets writes pass or is done in a moment."""
    await apply(database, tmp_path, ROWS)
    for number, text in enumerate(rule.steps, start=1):
        if not text.startswith(NO_TRANSACTION):
            async with trial(database) as it:
                assert (True, True) != await it.work(text)
        await apply(database, tmp_path, ROWS, *rule.steps[:number])
    if rule.name in STILL_SAYS:
        await ask(database, SAYS[rule.name])


async def test_examples_lock_writes_out(database: str, tmp_path: Path) -> None:
    """A write would wait until they are done; with most, until they have read all rows."""
    await apply(database, tmp_path, ROWS)
    for name in LOCKING:
        async with trial(database) as it:
            blocks, works = await it.work(RULE[name].refused)
            assert blocks, name
            assert works or name not in WORKING, name


@pytest.mark.parametrize(
    ("name", "relation"),
    [
        ("vacuum-full", "customers"),
        ("outside-transaction", "customers"),
        ("blocking-refresh", "customers_by_region"),
    ],
)
async def test_examples_want_all_for_themselves(
    name: str, relation: str, database: str, tmp_path: Path
) -> None:
    """They wait for whoever reads, and so does everybody who comes later."""
    await apply(database, tmp_path)
    async with session(database) as run, asyncio.TaskGroup() as tasks:
        await run("BEGIN")
        await run(f"TABLE {relation}")
        tasks.create_task(ask(database, RULE[name].refused))
        wanted = "SELECT relation::regclass::text, mode FROM pg_locks WHERE NOT granted"

        found = await until(lambda: ask(database, wanted))
        await run("ROLLBACK")

    assert [(relation, "AccessExclusiveLock")] == found


@pytest.mark.parametrize(
    "name", ["blocking-create-index", "blocking-drop-index", "blocking-reindex"]
)
async def test_what_is_concurrent_lets_writes_pass(
    name: str, database: str, tmp_path: Path
) -> None:
    """While it waits for a transaction that has written, others write."""
    await apply(database, tmp_path, ROWS)
    [text] = RULE[name].steps
    async with session(database) as run, asyncio.TaskGroup() as tasks:
        await run("BEGIN")
        await run(INSERT)
        tasks.create_task(ask(database, text))
        await until(lambda: ask(database, "SELECT FROM pg_locks WHERE NOT granted"))

        await ask(database, INSERT.replace("'a'", "'b'"))

        await run("ROLLBACK")


async def test_functions_are_what_they_are_taken_for(database: str) -> None:
    """Those that differ from row to row are volatile in PostgreSQL's own list, the others not."""
    found: dict[str, set[str]] = {}
    for name, volatility in await ask(
        database,
        "SELECT proname::text, provolatile::text FROM pg_proc"
        " WHERE pronamespace = 'pg_catalog'::regnamespace",
    ):
        found.setdefault(name, set()).add(volatility)

    assert set() == PLAIN - found.keys()
    assert [] == [name for name in PLAIN if "v" in found[name]]
    assert [] == [name for name in VOLATILE & found.keys() if "v" not in found[name]]
