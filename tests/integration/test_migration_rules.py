"""The rules for migrations, tried on PostgreSQL."""

import psqlpy
import pytest

from orders.store.rules import RULES, Rule

TABLE = """
    CREATE TABLE t (id int PRIMARY KEY, a int, b text);
    CREATE INDEX t_a ON t (a);
    INSERT INTO t SELECT n, n, n::text FROM generate_series(1, 100) n
"""
OUTSIDE = ("CONCURRENTLY", "VACUUM")
"""What PostgreSQL refuses inside a transaction."""
BLOCKING = (
    "drop",
    "not-null",
    "type-change",
    "rewrite",
    "validated-constraint",
    "index",
    "lock",
    "truncate",
)
WEAK = {"AccessShareLock", "RowShareLock", "RowExclusiveLock"}
"""Locks that keep no writer waiting (PostgreSQL manual, 13.3)."""


async def connect(database: str) -> psqlpy.Connection:
    """Return a connection to a database that has the table."""
    return await psqlpy.connect(dsn=database)


async def run(connection: psqlpy.Connection, sql: str) -> None:
    """Run statements."""
    await connection.execute_batch(sql)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
async def test_the_examples_are_sql_that_postgresql_takes(rule: Rule, database: str) -> None:
    """The refused one by itself, and the safe way from its first line to its last."""
    connection = await connect(database)
    await run(connection, TABLE)
    for statement in rule.instead:
        await run(connection, statement)
    await run(connection, "DROP TABLE t CASCADE")
    await run(connection, TABLE)
    await run(connection, "DELETE FROM t")
    alone = any(word in rule.refused for word in OUTSIDE)
    await run(connection, rule.refused if alone else f"BEGIN; {rule.refused}; COMMIT")


@pytest.mark.parametrize("name", BLOCKING)
async def test_a_refused_statement_keeps_writers_waiting(name: str, database: str) -> None:
    """Its lock conflicts with ROW EXCLUSIVE; those of the safe way do not, or are brief."""
    connection = await connect(database)
    await run(connection, TABLE)
    assert set() != await locks(connection, RULES[name].refused) - WEAK


@pytest.mark.parametrize("name", ["index", "validated-constraint", "whole-table", "truncate"])
async def test_the_last_line_of_the_safe_way_keeps_nobody_waiting(
    name: str, database: str
) -> None:
    """What takes long in it is done under a lock that writers do not mind."""
    connection = await connect(database)
    await run(connection, TABLE)
    *first, last = RULES[name].instead
    for statement in first:
        await run(connection, statement)
    if any(word in last for word in OUTSIDE):
        await run(connection, last)  # it cannot be looked at from inside; that it runs is enough
        return
    assert set() == await locks(connection, last) - WEAK - {"ShareUpdateExclusiveLock"}


async def locks(connection: psqlpy.Connection, statement: str) -> set[str]:
    """Return the locks on the table that a statement holds until its transaction ends."""
    await run(connection, f"BEGIN; {statement}")
    found = await connection.execute(
        "SELECT mode FROM pg_locks WHERE relation = to_regclass('t') AND pid = pg_backend_pid()"
    )
    await run(connection, "ROLLBACK")
    return {row["mode"] for row in found.result()}
