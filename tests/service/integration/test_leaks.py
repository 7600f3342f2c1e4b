"""Backends of the real service: while batches are given up, they are no more than before."""

import asyncio
import signal
from collections.abc import Callable

import httpx
import pytest

from tests.helpers.absent_standby import standby_gone
from tests.helpers.postgres import PostgresServer
from tests.helpers.server import Server, eventually
from tests.helpers.stopped_processes import stopped
from tests.helpers.table_locks import table_locked
from tests.service.integration.test_hangs import backend_of_readiness

Start = Callable[..., Server]

CONNECTIONS = 8
WRITING = 3
"""Connections that write; each counts twice while it is replaced."""
ORDER = {"item": "tea", "quantity": 1}
COMMIT_WAITS = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE wait_event = 'SyncRep' AND query LIKE '%pg_logical_emit_message%'"
)


WAITS = {"standby": standby_gone, "lock": table_locked}


async def backends(postgres: PostgresServer, url: str) -> int:
    """Count the backends of the service."""
    return len(await asyncio.to_thread(postgres.backend_pids, url))


@pytest.mark.parametrize("reason", WAITS)
async def test_writes_that_wait_hold_no_more_backends(
    private_postgres: PostgresServer, serve: Start, reason: str
) -> None:
    """While writes wait for good, reads and readiness go on, and what is given up is ended."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url, REQUEST_TIMEOUT="0.6")
    most = 0
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        path = (await client.post("/orders", json=ORDER)).headers["location"]
        await client.post("/orders/batch", json=[ORDER])

        async def as_before() -> bool:
            return await backends(private_postgres, url) == CONNECTIONS

        await eventually(as_before)
        async with WAITS[reason](url):
            for _ in range(12):
                answers = await asyncio.gather(
                    *(client.post("/orders", json=ORDER) for _ in range(4)),
                    client.post("/orders/batch", json=[ORDER]),
                )
                assert {503} == {answer.status_code for answer in answers}
                most = max(most, await backends(private_postgres, url))
            read = await client.get(path)
            ready = await client.get("/readyz?verbose")
            metrics = (await client.get(f"{server.metrics_url}/metrics")).text

        async def taken() -> bool:
            return (await client.post("/orders", json=ORDER)).status_code == 201

        await eventually(taken)
        after = await client.get("/readyz?verbose")
        await eventually(as_before)

    assert most <= CONNECTIONS + WRITING
    assert [200, 200] == [read.status_code, ready.status_code]
    assert "[!]writes blocked: " in ready.text
    assert f'orders_writes_blocked{{reason="{reason}"}} 1.0' in metrics
    assert "[+]writes ok" in after.text


@pytest.mark.parametrize("reason", WAITS)
async def test_no_backend_is_left_at_the_end(
    private_postgres: PostgresServer, serve: Start, reason: str
) -> None:
    """A service that ends while its writes wait leaves none of them at the server."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url, REQUEST_TIMEOUT="0.6")
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=10) as client,
        WAITS[reason](url),
    ):
        answers = await asyncio.gather(*(client.post("/orders", json=ORDER) for _ in range(4)))
        server.process.send_signal(signal.SIGTERM)
        status = await asyncio.to_thread(server.process.wait, 15)

        async def none() -> bool:
            return await backends(private_postgres, url) == 0

        await eventually(none, within=1)

    assert {503} == {answer.status_code for answer in answers}
    assert 0 == status


async def test_no_backend_is_left_though_the_probe_hangs(
    private_postgres: PostgresServer, serve: Start
) -> None:
    """A service whose readiness connection hangs at its end makes another one, to end the rest."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url, REQUEST_TIMEOUT="0.6")
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=10) as client,
        standby_gone(url),
    ):
        probe = await backend_of_readiness(server, private_postgres, url)
        with stopped(probe):
            await asyncio.gather(*(client.post("/orders", json=ORDER) for _ in range(4)))
            server.process.send_signal(signal.SIGTERM)
            status = await asyncio.to_thread(server.process.wait, 15)

            async def only_that() -> bool:
                return [probe] == await asyncio.to_thread(private_postgres.backend_pids, url)

            await eventually(only_that, within=2)

        async def none() -> bool:
            return await backends(private_postgres, url) == 0

        await eventually(none)

    assert 0 == status


async def test_a_standby_that_is_back_is_noticed_without_a_write(
    private_postgres: PostgresServer, serve: Start
) -> None:
    """While nobody writes a commit is tried, and readiness tells until the standby is back."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url, REQUEST_TIMEOUT="0.6")
    most = 0
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:

        async def ready(line: str) -> bool:
            return line in (await client.get("/readyz?verbose")).text

        async def told() -> bool:
            await client.post("/orders", json=ORDER)
            return await ready("no synchronous standby")

        async def tried() -> bool:
            nonlocal most
            await client.get("/readyz")
            most = max(most, await backends(private_postgres, url))
            return bool(await asyncio.to_thread(private_postgres.execute, COMMIT_WAITS, url))

        async with standby_gone(url):
            await eventually(told)
            await eventually(tried)
        await eventually(lambda: ready("[+]writes ok"))

    assert most <= CONNECTIONS + WRITING


async def test_a_key_that_waits_for_a_standby_is_no_lock(
    private_postgres: PostgresServer, serve: Start
) -> None:
    """A write that waits for another one with its key waits for the standby as well."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url, REQUEST_TIMEOUT="0.6")
    key = {"Idempotency-Key": '"a"'}
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=10) as client,
        standby_gone(url),
    ):
        send = [client.post("/orders", json=ORDER, headers=key) for _ in range(2)]
        answers = await asyncio.gather(*send)
        ready = await client.get("/readyz?verbose")

    assert {503} == {answer.status_code for answer in answers}
    assert "no synchronous standby" in ready.text
