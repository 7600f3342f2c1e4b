"""A server that takes no writes is none for the service, until it does or another one does."""

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from orders.config import Config
from orders.embedded import EmbeddedPostgres
from orders.embedded.account import Account
from orders.embedded.programs import find_programs
from orders.store.connector import CannotConnect, Connector
from orders.store.migrate import MigrationError, migrate
from orders.store.migrations import MAY_PASS
from tests.helpers.ports import free_port
from tests.helpers.postgres import PostgresServer, reachable_folder
from tests.helpers.server import Server, eventually

Start = Callable[..., Server]

ORDER = {"item": "tea", "quantity": 1}
READ_WRITE = "target_session_attrs=read-write"


def connector(url: str) -> Connector:
    """Make what connects there."""
    database = Config.from_env({"DATABASE_URL": url}).needed_database()
    return Connector(database, statement_timeout=5)


def kind(answer: httpx.Response) -> str:
    """Return the name of a problem."""
    return str(answer.json()["type"]).rpartition("/")[2]


async def becomes(client: httpx.AsyncClient, *, ready: int, create: int) -> httpx.Response:
    """Wait until readiness and creates are answered so; return the last create's answer."""
    answers: list[httpx.Response] = []

    async def so() -> bool:
        answers.append(await client.post("/orders", json=ORDER))
        found = (await client.get("/readyz")).status_code
        return (found, answers[-1].status_code) == (ready, create)

    await eventually(so)
    return answers[-1]


async def test_a_server_that_turns_read_only_is_lost_until_it_takes_writes(
    private_postgres: PostgresServer, serve: Start
) -> None:
    """No connection is cut; creates are 503 and readiness fails, and all is well by itself."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=f"{url}?{READ_WRITE}", REQUEST_TIMEOUT="1")
    fence = "ALTER SYSTEM SET default_transaction_read_only = {}"
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        try:
            private_postgres.execute(fence.format("on"))
            private_postgres.execute("SELECT pg_reload_conf()")
            refused = await becomes(client, ready=503, create=503)

            async def told() -> bool:
                return kind(await client.post("/orders", json=ORDER)) == "database-unavailable"

            await eventually(told)
        finally:
            private_postgres.execute(fence.format("off"))
            private_postgres.execute("SELECT pg_reload_conf()")
        await becomes(client, ready=200, create=201)

    assert "1" == refused.headers["retry-after"]
    assert "the database is read-only" in server.output()


async def test_readiness_sees_it_without_a_write(
    private_postgres: PostgresServer, serve: Start
) -> None:
    """A service that is only read from learns of it by its probe."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=f"{url}?{READ_WRITE}")
    fence = "ALTER SYSTEM SET default_transaction_read_only = {}"
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:

        async def ready() -> int:
            return (await client.get("/readyz")).status_code

        try:
            private_postgres.execute(fence.format("on"))
            private_postgres.execute("SELECT pg_reload_conf()")

            async def failing() -> bool:
                return await ready() == 503

            await eventually(failing)
        finally:
            private_postgres.execute(fence.format("off"))
            private_postgres.execute("SELECT pg_reload_conf()")

        async def well() -> bool:
            return await ready() == 200

        await eventually(well)


async def test_a_fenced_database_takes_no_new_connection(
    private_postgres: PostgresServer,
) -> None:
    """`ALTER DATABASE ... SET default_transaction_read_only` fences service and migrations off."""
    url = private_postgres.database()
    name = urlsplit(url).path.removeprefix("/")
    private_postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(CannotConnect, match="the database is read-only"):
        await connector(f"{url}?{READ_WRITE}").connect()
    with pytest.raises(MigrationError) as caught:
        await migrate(f"{url}?{READ_WRITE}")
    private_postgres.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")

    assert MAY_PASS == caught.value.exit_code
    assert (await migrate(f"{url}?{READ_WRITE}")).applied


@pytest.fixture
def standby(private_postgres: PostgresServer) -> Iterator[EmbeddedPostgres]:
    """Run a standby of the private server."""
    with reachable_folder() as folder:
        source = urlsplit(private_postgres.url("postgres"))
        account = Account.for_data(folder / "postgres", find_programs())
        account.give(folder)
        subprocess.run(
            [
                *(
                    find_programs() / "pg_basebackup",
                    "--write-recovery-conf",
                    "--wal-method=stream",
                ),
                *("--checkpoint=fast", "--no-sync", "--pgdata", folder / "postgres"),
                *("--host=127.0.0.1", f"--port={source.port}", f"--username={source.username}"),
            ],
            check=True,
            **account.options(),
        )
        server = EmbeddedPostgres(folder, port=free_port(), settings={"max_connections": "200"})
        server.start()
        yield server
        server.stop("immediate")


async def test_a_standby_is_passed_over_until_it_is_promoted(
    private_postgres: PostgresServer, standby: EmbeddedPostgres, serve: Start
) -> None:
    """Of standby and primary the primary is used; when that is gone, the promoted standby is."""
    url = await asyncio.to_thread(private_postgres.migrated_database)
    name = urlsplit(url).path.removeprefix("/")
    second, first = urlsplit(standby.url(name)), urlsplit(url)
    hosts = f"127.0.0.1:{second.port},127.0.0.1:{first.port}"
    server = serve(DATABASE_URL=first._replace(netloc=f"{first.username}@{hosts}").geturl())
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        before = await client.post("/orders", json=ORDER)

        async def arrived() -> bool:
            try:
                rows = await asyncio.to_thread(
                    private_postgres.execute, "SELECT count(*) FROM orders", second.geturl()
                )
            except Exception:  # noqa: BLE001  the database is not there yet
                return False
            return rows == [(1,)]

        await eventually(arrived)
        await asyncio.to_thread(private_postgres.stop, "immediate")
        await asyncio.to_thread(private_postgres.execute, "SELECT pg_promote()", second.geturl())
        await becomes(client, ready=200, create=201)
        read = await client.get(before.headers["location"])

    assert 201 == before.status_code
    assert 200 == read.status_code
