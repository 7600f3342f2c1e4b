"""What endpoints get for statements of their own, on PostgreSQL and through PgBouncer."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress

import pytest

from orders.database import Database, Row
from orders.errors import DatabaseUnavailable, DeadlineExceeded, Internal, Problem
from orders.store.connections import HeldConnection
from orders.store.pool import SIZE, Pool
from orders.telemetry.metrics import Metrics
from tests.helpers.postgres import Databases
from tests.service.integration.test_connections import held
from tests.service.integration.test_poolers import fit

ADD = "INSERT INTO notes (id, note) VALUES ($1::int, $2::text)"
ALL = "SELECT id, note FROM notes WHERE id >= $1::int ORDER BY id"


@contextmanager
def directly(url: str) -> Iterator[str]:
    """Connect without a pooler."""
    yield url


def pooled(url: str) -> AbstractContextManager[str]:
    """Connect through a pooler that shares its connections."""
    return fit(url, 4)


@asynccontextmanager
async def connected(url: str, seconds: float = 5) -> AsyncIterator[tuple[Database, Pool]]:
    """Have a database, each of whose requests may take so long, and its connections."""
    metrics = Metrics()
    made: list[HeldConnection] = []

    def make() -> HeldConnection:
        made.append(held(url))
        return made[-1]

    pool = Pool(make, metrics)
    loop = asyncio.get_running_loop()
    yield Database(pool, lambda: loop.time() + seconds), pool
    await asyncio.gather(*(connection.close() for connection in made))
    metrics.close()


@pytest.fixture(params=[directly, pooled])
def url(request: pytest.FixtureRequest, postgres: Databases, database: str) -> Iterator[str]:
    """Make a table of notes; where it is reached."""
    postgres.execute("CREATE TABLE notes (id int PRIMARY KEY, note text NOT NULL)", database)
    with request.param(database) as reached:
        yield reached


async def notes(database: Database) -> list[Row]:
    """Return all."""
    return await database.fetch(ALL, 0)


async def test_statements_are_committed_one_by_one(url: str) -> None:
    """Parameters go in, tuples come out; without parameters, too."""
    async with connected(url) as (database, _):
        await database.execute(ADD, 1, "tea; DROP TABLE notes; --")

        assert [(1, "tea; DROP TABLE notes; --")] == await notes(database)
        assert [(1,)] == await database.fetch("SELECT count(*) FROM notes")


async def test_no_connection_is_opened_before_the_first_statement(url: str) -> None:
    """A service without such endpoints has none; then there are as many as share the load."""
    async with connected(url) as (database, pool):
        assert [] == pool.connections
        answers = await asyncio.gather(*(database.execute(ADD, n, "x") for n in range(20)))

        assert [None] * 20 == answers
        assert SIZE == len(pool.connections)


async def test_a_transaction_is_all_or_nothing(url: str) -> None:
    """What its block raises rolls it back, and passes; the next one is none the worse."""
    async with connected(url) as (database, _):
        with pytest.raises(KeyError):  # noqa: PT012  a transaction
            async with database.transaction() as transaction:
                await transaction.execute(ADD, 1, "x")
                raise KeyError
        async with database.transaction() as transaction:
            await transaction.execute(ADD, 2, "x")
            assert [(2, "x")] == await transaction.fetch(ALL, 0)
            assert [] == await notes(database)

        assert [(2, "x")] == await notes(database)


async def test_a_refused_statement_ends_its_transaction(url: str) -> None:
    """Nothing of it is done, also where the endpoint goes on as if nothing had happened."""
    async with connected(url) as (database, _):
        with pytest.raises(Internal):  # noqa: PT012  a transaction
            async with database.transaction() as transaction:
                await transaction.execute(ADD, 1, "x")
                with suppress(Exception):
                    await transaction.execute(ADD, 1, "twice")
                with suppress(Exception):
                    await transaction.execute(ADD, 2, "y")

        assert [] == await notes(database)


async def test_a_commit_may_be_refused(url: str) -> None:
    """A deferred constraint is found at the end; the block raises, and nothing is done."""
    async with connected(url) as (database, _):
        await database.execute("ALTER TABLE notes ADD UNIQUE (note) DEFERRABLE INITIALLY DEFERRED")
        with pytest.raises(Internal):  # noqa: PT012  a transaction
            async with database.transaction() as transaction:
                await transaction.execute(ADD, 1, "x")
                await transaction.execute(ADD, 2, "x")

        assert [] == await notes(database)


@pytest.mark.parametrize("sql", ["SELECT 1 / $1::int", "SELECT $1::int FROM nowhere"])
async def test_what_the_database_refuses_is_a_defect(url: str, sql: str) -> None:
    """The caller learns nothing of it, the log does; the connection goes on."""
    async with connected(url) as (database, _):
        with pytest.raises(Internal):
            await database.fetch(sql, 0)

        assert [] == await notes(database)


async def test_a_statement_ends_with_the_deadline(url: str) -> None:
    """Alone or in a transaction, it is given up in time, and its connection replaced."""
    async with connected(url, 1.0) as (database, _):
        with pytest.raises(DeadlineExceeded):
            await database.fetch("SELECT pg_sleep($1::int)", 30)
        with pytest.raises(DeadlineExceeded):  # noqa: PT012  a transaction
            async with database.transaction() as transaction:
                await transaction.execute(ADD, 1, "x")
                await transaction.fetch("SELECT pg_sleep($1::int)", 30)

        assert [] == await notes(database)


async def test_a_lost_connection_is_unavailability(
    url: str, postgres: Databases, database: str
) -> None:
    """A transaction of which a connection is lost is not done; the next request is answered."""
    async with connected(url) as (reached, _):
        with pytest.raises(DatabaseUnavailable):  # noqa: PT012  a transaction
            async with reached.transaction() as transaction:
                await transaction.execute(ADD, 1, "x")
                await asyncio.to_thread(postgres.terminate_backends, database)
                await transaction.execute(ADD, 2, "x")
        found = None
        for _ in range(3):  # a pooler may have other connections that are gone
            with suppress(Problem):
                found = await notes(reached)
                break

        assert [] == found
