"""The service behind a real PgBouncer: right answers, or one line that says why there are none."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

import httpx
import psqlpy
import psutil
import pytest

from orders.batch import ConnectionLost
from orders.config import Config
from orders.store.backends import Backends
from orders.store.connections import HeldConnection
from orders.store.connector import Connector
from orders.store.migrate import MigrationError, migrate
from orders.store.pooled_session import PooledSession
from orders.store.server_role import ServerRole
from orders.store.session import Session, Statement, StatementRefused
from orders.store.settings import BEGIN
from orders.store.statements import INSERT, SELECT_BY_ID
from orders.store.store import LANES
from tests.helpers import pgbouncer
from tests.helpers.migration_files import ask
from tests.helpers.pgbouncer import newer, older
from tests.helpers.server import Server, eventually

Start = Callable[..., Server]

ORDER = {"item": "tea", "quantity": 1}
BACKEND = "SELECT pg_backend_pid()"
LEAKED = "SELECT current_setting('statement_timeout'), current_setting('enable_seqscan')"


def fit(url: str, size: int, **settings: str) -> AbstractContextManager[str]:
    """Have a pooler that is fit for the service share so many connections between transactions."""
    return pgbouncer.pgbouncer(
        newer(),
        url,
        "transaction",
        default_pool_size=size,
        max_prepared_statements=100,
        **settings,
    )


def connector(url: str, timeout: float = 5) -> Connector:
    """Make what connects through a pooler."""
    database = Config.from_env({"DATABASE_URL": url}).needed_database()
    return Connector(database, statement_timeout=timeout)


async def work(client: httpx.AsyncClient, name: str) -> list[tuple[int, Any]]:
    """Place orders, with keys and without; return what reading them back gives."""
    placed = [
        await client.post(
            "/orders",
            json={"item": f"{name} {number}", "quantity": 1},
            headers={"idempotency-key": f'"{name} {number}"'} if number % 2 else {},
        )
        for number in range(20)
    ]
    read = [await client.get(answer.headers["location"]) for answer in placed]
    return [(answer.status_code, answer.json().get("item", answer.text)) for answer in read]


@pytest.mark.parametrize("settings", [{}, {"ignore_startup_parameters": "options"}])
async def test_two_processes_share_a_pool_of_transactions(
    database_url: str, serve: Start, settings: dict[str, str]
) -> None:
    """Two processes on two server connections each get their own orders, whatever names they use.

    PgBouncer may refuse the option that tells it apart from PostgreSQL, or leave it out.
    """
    with fit(database_url, 2, **settings) as url:
        servers = [serve(DATABASE_URL=url) for _ in range(2)]
        clients = [httpx.AsyncClient(base_url=server.url, timeout=10) for server in servers]
        async with clients[0], clients[1]:
            results = await asyncio.gather(
                *(
                    work(client, f"{place} {n}")
                    for n in range(4)
                    for place, client in enumerate(clients)
                )
            )
            pages = [(await client.get("/orders?limit=100")).json() for client in clients]
        ends = [server.stop() for server in servers]

    expected = [
        [(200, f"{place} {n} {number}") for number in range(20)]
        for n in range(4)
        for place in range(2)
    ]
    assert expected == results
    assert pages[0] == pages[1]
    assert [0, 0] == ends


async def test_a_plan_that_the_pooler_keeps_is_no_error(database_url: str, serve: Start) -> None:
    """A column's type changes: PgBouncer keeps the plans, of new connections too; none is used."""
    with fit(database_url, 2) as url:
        server = serve(DATABASE_URL=url)
        async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
            before = await work(client, "before")
            answers = []
            for kind in ("varchar(200)", "text"):
                await ask(database_url, f"ALTER TABLE orders ALTER COLUMN item TYPE {kind}")
                answers.append(await work(client, kind))
                answers.append(await work(client, kind))
            page = await client.get("/orders")
        another = serve(DATABASE_URL=url)
        async with httpx.AsyncClient(base_url=another.url, timeout=20) as client:
            after = await work(client, "after")

    assert {200} == {status for status, _ in [*before, *after, *answers[0], *answers[2]]}
    assert 200 == page.status_code
    assert [(200, f"varchar(200) {n}") for n in range(20)] == answers[0]
    assert answers[0] == answers[1]
    assert answers[2] == answers[3]


async def test_a_plan_that_one_backend_keeps_is_no_error(database_url: str, serve: Start) -> None:
    """Of two backends one has planned before a column's type changed: whichever is asked why."""
    with fit(database_url, 2, server_round_robin="1") as url:
        other = await psqlpy.connect(dsn=url)
        await other.execute_batch("BEGIN; SELECT 1")  # so that the service has the other backend
        server = serve(DATABASE_URL=url)
        async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
            before = await work(client, "before")
            await ask(database_url, "ALTER TABLE orders ALTER COLUMN item TYPE varchar(200)")
            await other.execute_batch("COMMIT")
            after = await work(client, "after")
        other.close()

    assert [(200, f"before {n}") for n in range(20)] == before
    assert [(200, f"after {n}") for n in range(20)] == after


async def test_a_row_that_is_refused_has_plans_made_anew_once(
    database_url: str, serve: Start
) -> None:
    """Behind a pooler each connection's plans are doubted for it, and then trusted for a while."""
    await ask(database_url, "ALTER TABLE orders ADD CHECK (item <> 'bad')")
    with fit(database_url, 2) as url:
        server = serve(DATABASE_URL=url)
        async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
            bad = [
                (await client.post("/orders", json={"item": "bad", "quantity": 1})).status_code
                for _ in range(20)
            ]
            good = await work(client, "good")

    assert [500] * 20 == bad
    assert [(200, f"good {n}") for n in range(20)] == good
    assert 1 <= server.output().count("its plans are out of date") <= LANES


async def test_a_backend_that_others_are_given_is_not_ended(database_url: str) -> None:
    """What a connection that is replaced ran on is idle behind a pooler, and somebody else's."""
    with fit(database_url, 1) as url:
        backends = Backends(1.0)
        made = connector(url)
        probe, held = (HeldConnection(made, backends=backends) for _ in range(2))
        backends.ask_over(probe)
        for connection in (probe, held):
            connection.open()
            await connection.ready()
        other = await psqlpy.connect(dsn=url)
        before = await held.fetch(f"{BACKEND} WHERE $1::int = 1", [1])
        held.abandon()
        async with asyncio.timeout(10):
            await held.ready()
        await backends.end_others(made.process, shared=held.shares_backends)
        after = await held.fetch(f"{BACKEND} WHERE $1::int = 1", [1])
        theirs = (await other.fetch(BACKEND, prepared=False)).result(as_tuple=True)
        for connection in (held, probe):
            await connection.close()
        other.close()

    assert before == after == theirs


async def test_a_pooler_that_is_paused_is_not_filled(database_url: str) -> None:
    """However often connecting is tried, each connection that is wanted waits there once."""
    with fit(database_url, 4) as url:
        made = connector(f"{url}?connect_timeout=1")
        lanes = [HeldConnection(made) for _ in range(3)]
        for lane in lanes:
            lane.open()
            await lane.ready()
        name = urlsplit(url).path.removeprefix("/")
        place = urlsplit(url)._replace(path="/pgbouncer")
        netloc = place.netloc.replace(f"{place.username}@", "admin@")
        admin = await psqlpy.connect(dsn=place._replace(netloc=netloc).geturl())
        await admin.execute_batch(f"KILL {name}")
        for lane in lanes:
            with pytest.raises(ConnectionLost):
                await lane.fetch("SELECT $1::int", [1])
        tries = 0
        connect = made.connect

        async def counted(warm: Sequence[Statement] = ()) -> Session:
            nonlocal tries
            tries += 1
            return await connect(warm)

        made.connect = counted  # type: ignore[method-assign]
        await eventually(lambda: tries > 3 * len(lanes))
        waiting = clients_of(urlsplit(url).port)
        await admin.execute_batch(f"RESUME {name}")
        async with asyncio.timeout(30):
            for lane in lanes:
                await lane.ready()
        for lane in lanes:
            await lane.close()
        admin.close()

    assert waiting <= 2 * len(lanes) + 1


def clients_of(port: int | None) -> int:
    """Count the connections that a pooler has accepted and not closed."""
    return sum(
        one.laddr[1:] == (port,) and one.status in {"ESTABLISHED", "CLOSE_WAIT"}
        for one in psutil.net_connections("tcp4")
    )


async def test_no_setting_reaches_others(database_url: str) -> None:
    """After a batch the server connection is as it was, for the others that are given it."""
    with fit(database_url, 1) as url:
        other = await psqlpy.connect(dsn=url)
        before = (await other.fetch(LEAKED, prepared=False)).result(as_tuple=True)
        session = await connector(url).connect([(SELECT_BY_ID, [[]])])
        inside = await session.fetch(f"{LEAKED} WHERE $1::int = 1", [1])
        after = (await other.fetch(LEAKED, prepared=False)).result(as_tuple=True)
        session.close()
        other.close()

    assert isinstance(session, PooledSession)
    assert [("5s", "off")] == inside
    assert [("0", "on")] == before == after


async def test_no_setting_of_others_reaches_a_statement(database_url: str) -> None:
    """What another client left behind on the server connection changes no answer."""
    with fit(database_url, 1) as url:
        session = await connector(url).connect([(SELECT_BY_ID, [[]])])
        other = await psqlpy.connect(dsn=url)
        await other.execute_batch("SET search_path TO nowhere; SET synchronous_commit TO off")
        found = await session.fetch(SELECT_BY_ID, [[]])
        [(commit,)] = await session.fetch(
            "SELECT current_setting('synchronous_commit') WHERE $1::int = 1", [1]
        )
        session.close()
        other.close()

    assert [] == found
    assert "on" == commit


class RefusesFirst:
    """A connection of the driver whose first transaction the server refuses to begin."""

    def __init__(self, connection: psqlpy.Connection) -> None:
        self._connection = connection
        self._refusals = iter(["SELECT 1 / 0"])

    async def execute_batch(self, sql: str) -> None:
        """Run statements, or at first one that is refused."""
        await self._connection.execute_batch(next(self._refusals, sql))

    def __getattr__(self, name: str) -> Any:
        """Do everything else as the driver does."""
        return getattr(self._connection, name)


async def test_a_refused_beginning_is_tried_again(database_url: str) -> None:
    """What another client set may end a transaction before the service's own settings count."""
    with fit(database_url, 1) as url:
        opened = await connector(url).open()
        connection: Any = RefusesFirst(opened.connection)
        role = ServerRole("read-write")
        session = PooledSession(opened._replace(connection=connection), role, prepared=True)
        await session.set_up(5, [])
        found = await session.fetch("SELECT $1::int", [1])
        session.close()

    assert [(1,)] == found


async def test_a_transaction_whose_client_is_silent_ends(database_url: str) -> None:
    """Its locks last no longer than a statement may, though the pooler keeps its connection."""
    idle = "SELECT 1 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"

    async def gone() -> bool:
        return not await ask(database_url, idle + " AND datname = current_database()")

    with fit(database_url, 1) as url:
        opened = await connector(url).open()
        await opened.connection.execute_batch(BEGIN.format(200, 0))
        begun = not await gone()
        await eventually(gone)
        opened.close()

    assert begun


async def test_a_refused_statement_leaves_the_connection_fit(database_url: str) -> None:
    """A statement that fails, or takes too long, is rolled back; the next one is answered."""
    with fit(database_url, 1) as url:
        session = await connector(url, timeout=0.1).connect()
        with pytest.raises(StatementRefused, match="division by zero"):
            await session.fetch("SELECT 1 / $1::int", [0])
        with pytest.raises(StatementRefused, match="statement timeout"):
            await session.fetch("SELECT pg_sleep($1::int)", [10])
        found = await session.fetch("SELECT $1::int", [1])
        session.close()

    assert [(1,)] == found


@pytest.mark.parametrize("program", [older, newer])
async def test_session_mode_is_like_no_pooler(
    database_url: str, serve: Start, program: Callable[[], str]
) -> None:
    """A pooler that gives every client a server connection of its own costs nothing more."""
    with pgbouncer.pgbouncer(program(), database_url, "session") as url:
        session = await connector(url).connect()
        session.close()
        server = serve(DATABASE_URL=url)
        async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
            found = await work(client, "one")
        end = server.stop()

    assert type(session) is Session
    assert [(200, f"one {number}") for number in range(20)] == found
    assert 0 == end


async def test_a_mode_without_proof_is_right_all_the_same(database_url: str) -> None:
    """Session mode that resets nothing cannot be told: each statement is then prepared anew."""
    pooled = pgbouncer.pgbouncer(older(), database_url, "session", server_reset_query="")
    with pooled as url:
        session = await connector(url).connect([(SELECT_BY_ID, [[]])])
        row = [["00000000-0000-7000-8000-000000000000"], ["tea"], [1], [0], [None]]
        inserted = [await session.fetch(INSERT, row) for _ in range(2)]
        found = await session.fetch(SELECT_BY_ID, [row[0]])
        session.close()

    assert isinstance(session, PooledSession)
    assert [[(1,)], [(0,)]] == inserted
    assert "tea" == found[0][1]


@pytest.mark.parametrize(
    ("program", "mode", "settings", "line"),
    [
        (older, "transaction", {}, "mixes up prepared statements"),
        (older, "transaction", {"ignore_startup_parameters": "options"}, "mixes up prepared"),
        (newer, "transaction", {"max_prepared_statements": 0}, "mixes up prepared statements"),
        (older, "statement", {}, "statement mode"),
        (newer, "statement", {"max_prepared_statements": 100}, "statement mode"),
    ],
)
async def test_an_unfit_pooler_is_told_once_and_never_ready(  # noqa: PLR0913  what is pooled, and how
    database_url: str,
    serve: Start,
    program: Callable[[], str],
    mode: str,
    settings: dict[str, str],
    line: str,
) -> None:
    """Where answers could be wrong there are none: one line says why, requests are 503."""
    with pgbouncer.pgbouncer(program(), database_url, mode, **settings) as url:
        server = serve(DATABASE_URL=url, REQUEST_TIMEOUT="1", wait_for="/livez")
        async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
            await eventually(lambda: line in server.output())
            answers = [await client.post("/orders", json=ORDER) for _ in range(2)]
            ready = await client.get("/readyz")
        server.stop()

    told = [one for one in server.output().splitlines() if "cannot connect" in one]
    assert {503} == {answer.status_code for answer in answers}
    assert 503 == ready.status_code
    assert 1 == len(told), told
    assert line in told[0]


@pytest.mark.parametrize("program", [older, newer])
async def test_migrations_need_transactions(database: str, program: Callable[[], str]) -> None:
    """A pool of statements does not pass by waiting: one line says what to change, at once."""
    with (
        pgbouncer.pgbouncer(program(), database, "statement") as url,
        pytest.raises(MigrationError, match="statement mode") as caught,
    ):
        await migrate(url, wait=60)

    assert 1 == caught.value.exit_code


@pytest.mark.parametrize("program", [older, newer])
async def test_migrations_run_through_a_pool_of_transactions(
    database: str, program: Callable[[], str]
) -> None:
    """No statement of a migration needs a name, so every release of PgBouncer passes it on."""
    with pgbouncer.pgbouncer(program(), database, "transaction", default_pool_size=2) as url:
        first = await migrate(url)
        second = await migrate(url)

    assert first.version == len(first.applied) == second.version
    assert [] == second.applied
