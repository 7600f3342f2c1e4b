"""Held connections that are replaced while their backends do not end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from orders.config import Config
from orders.store.backends import Backends
from orders.store.connections import HeldConnection
from orders.store.connector import Connector
from tests.helpers.postgres import PostgresServer
from tests.helpers.server import eventually
from tests.helpers.stopped_processes import stopped

BY_NAME = "SELECT pid FROM pg_stat_activity WHERE application_name = '{}'"


class Pair:
    """A held connection, and the probe that asks about it and ends it."""

    def __init__(self, url: str, timeout: float = 1.0) -> None:
        database = Config.from_env({"DATABASE_URL": url}).needed_database()
        connector = Connector(database, statement_timeout=5)
        self.backends = Backends(timeout)
        self.probe = HeldConnection(connector, backends=self.backends)
        self.held = HeldConnection(connector, backends=self.backends)
        self.backends.ask_over(self.probe)


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Pair]:
    """Open a pair."""
    made = Pair(url)
    made.probe.open()
    made.held.open()
    async with asyncio.timeout(10):
        await made.probe.ready()
        await made.held.ready()
    yield made
    await made.held.close()
    await made.probe.close()


@pytest.fixture
async def pair(private_postgres: PostgresServer) -> AsyncIterator[Pair]:
    """Open a pair on a database of its own."""
    async with opened(private_postgres.database()) as made:
        yield made


@pytest.fixture
async def guest(private_postgres: PostgresServer) -> AsyncIterator[str]:
    """Make a database for a role that may log in, and no more; its URL for that role."""
    url = private_postgres.database()
    await asyncio.to_thread(private_postgres.execute, "CREATE ROLE guest LOGIN")
    yield url.replace("postgres@", "guest@")
    await asyncio.to_thread(private_postgres.terminate_backends, url)
    await asyncio.to_thread(private_postgres.execute, "DROP ROLE guest")


async def works(pair: Pair) -> bool:
    """Tell whether the backend of the held connection is at work."""
    activity = await pair.held.activity()
    return activity is not None and activity.at_work


async def pid_of(postgres: PostgresServer, connection: HeldConnection) -> int:
    """Return the process that serves a connection."""
    [(pid,)] = await asyncio.to_thread(postgres.execute, BY_NAME.format(connection.name))
    return int(pid)


async def test_what_is_replaced_is_ended(private_postgres: PostgresServer, pair: Pair) -> None:
    """The backend of a connection that hangs is ended over the other one, which stands on."""
    name, probe = pair.held.name, pair.probe.name
    hung = asyncio.ensure_future(pair.held.fetch("SELECT pg_sleep($1::int)", [60]))
    await eventually(lambda: pair.held.state == "used")
    pair.held.abandon()
    async with asyncio.timeout(10):
        await pair.held.ready()
        await asyncio.wait([hung])
    left = await asyncio.to_thread(private_postgres.execute, BY_NAME.format(name))

    assert [] == left
    assert hung.exception() is not None
    assert pair.probe.name == probe
    assert pair.held.name != name


async def test_a_role_that_becomes_another_ends_its_own(
    private_postgres: PostgresServer, guest: str
) -> None:
    """A role that is set to be another one sees what its backends do, and ends them."""
    try:
        for sql in (
            "CREATE ROLE team",
            "GRANT team TO guest",
            "ALTER ROLE guest SET role = 'team'",
        ):
            await asyncio.to_thread(private_postgres.execute, sql)
        async with opened(guest) as pair:
            name = pair.held.name
            [(role,)] = await pair.probe.fetch("SELECT current_user::text WHERE $1::int = 1", [1])
            hung = asyncio.ensure_future(pair.held.fetch("SELECT pg_sleep($1::int)", [60]))
            await eventually(lambda: works(pair))
            pair.held.abandon()
            async with asyncio.timeout(10):
                await pair.held.ready()
                await asyncio.wait([hung])
            left = await asyncio.to_thread(private_postgres.execute, BY_NAME.format(name))
            [(after,)] = await pair.probe.fetch("SELECT current_user::text WHERE $1::int = 1", [1])
    finally:
        await asyncio.to_thread(private_postgres.execute, "DROP ROLE IF EXISTS team")

    assert [] == left
    assert "team" == role == after


async def test_what_the_server_does_not_end_counts(
    private_postgres: PostgresServer, guest: str
) -> None:
    """Where a role may end nothing there are two sockets at most, until one ends by itself."""
    owner = guest.replace("guest@", "postgres@")
    await asyncio.to_thread(
        private_postgres.execute,
        "REVOKE EXECUTE ON FUNCTION pg_terminate_backend FROM PUBLIC",
        owner,
    )
    async with opened(guest) as pair:
        names = []
        for _ in range(2):
            names.append(pair.held.name)
            asyncio.ensure_future(
                pair.held.fetch("SELECT pg_sleep($1::int)", [60])
            ).add_done_callback(lambda hung: hung.exception())
            await eventually(lambda: works(pair))
            pair.held.abandon()
            if len(names) == 1:
                async with asyncio.timeout(10):
                    await pair.held.ready()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pair.held.ready(), 1)
        there = [
            await asyncio.to_thread(private_postgres.execute, BY_NAME.format(name))
            for name in names
        ]
        await asyncio.to_thread(
            private_postgres.execute, f"SELECT pg_terminate_backend({there[0][0][0]})"
        )
        async with asyncio.timeout(10):
            await pair.held.ready()

    assert [1, 1] == [len(found) for found in there]


async def test_work_is_seen_without_tracking(private_postgres: PostgresServer) -> None:
    """A database in which no activity is tracked still shows what waits for the client."""
    url = private_postgres.database()
    name = url.rpartition("/")[2]
    await asyncio.to_thread(
        private_postgres.execute, f"ALTER DATABASE {name} SET track_activities = off"
    )

    async with opened(url) as there:

        async def rests() -> bool:
            return not await works(there)

        await eventually(rests)
        hung = asyncio.ensure_future(there.held.fetch("SELECT pg_sleep($1::int)", [60]))
        await eventually(lambda: works(there))
        hung.cancel()


async def test_no_third_socket_is_made(private_postgres: PostgresServer, pair: Pair) -> None:
    """While two backends do not end there is no third; once one ends, there is another again."""
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            async with asyncio.timeout(10):
                await pair.held.ready()
            pid = await pid_of(private_postgres, pair.held)
            stack.enter_context(stopped(pid))
            pair.held.abandon()
        tried = asyncio.Event()
        connect = pair.held._connector.connect

        async def seen(*arguments: object) -> object:
            tried.set()
            return await connect(*arguments)  # type: ignore[arg-type]

        pair.held._connector.connect = seen  # type: ignore[method-assign, assignment]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(tried.wait(), 1)
        assert pair.held.state == "connecting"
    async with asyncio.timeout(10):
        await pair.held.ready()

    assert tried.is_set()


@pytest.mark.parametrize("which", ["held", "probe"])
async def test_a_question_that_nobody_answers_costs_the_probe(
    private_postgres: PostgresServer, pair: Pair, which: str
) -> None:
    """What a stopped backend does is told by the probe; a probe that is stopped is replaced."""
    probe = pair.probe.name
    hangs = await pid_of(private_postgres, pair.held if which == "held" else pair.probe)
    with stopped(hangs):
        activity = await pair.held.activity()
        async with asyncio.timeout(10):
            await pair.probe.ready()
            again = await pair.held.activity()

    assert (activity is None) == (which == "probe")
    assert (pair.probe.name != probe) == (which == "probe")
    assert again is not None
    assert not again.at_work


async def test_what_a_backend_does_is_told(pair: Pair) -> None:
    """A statement that runs is at work; one that is over, and a backend that is gone, are not."""
    idle = await pair.held.activity()
    hung = asyncio.ensure_future(pair.held.fetch("SELECT pg_sleep($1::int)", [60]))
    await eventually(lambda: pair.held.state == "used")
    await eventually(lambda: works(pair))
    gone = await pair.backends.activity("nobody")
    hung.cancel()

    assert idle is not None
    assert not idle.at_work
    assert gone is not None
    assert not gone.at_work
