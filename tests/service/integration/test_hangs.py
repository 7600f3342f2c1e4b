"""Connections of the real service hang: their own callers notice latency, the others nothing."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest

from tests.helpers.postgres import PostgresServer
from tests.helpers.server import Server, eventually
from tests.helpers.silent_proxy import SilentProxy
from tests.helpers.stopped_processes import stopped

Start = Callable[..., Server]

ORDER = {"item": "tea", "quantity": 1}
CONNECTIONS = 8
OF_READINESS = ("orders_migrations", "pg_attribute", "pg_is_in_recovery")


async def backend_of_readiness(server: Server, postgres: PostgresServer, url: str) -> int:
    """Return the process that answers the questions of readiness."""
    await server.all_connected()
    async with httpx.AsyncClient() as client:
        await client.get(f"{server.url}/readyz")
    return await asyncio.to_thread(postgres.last_backend, url, *OF_READINESS)


async def all_backends(postgres: PostgresServer, url: str) -> list[int]:
    """Return the processes that serve the connections of a service, once it has them all."""

    async def all_there() -> bool:
        return len(await asyncio.to_thread(postgres.backend_pids, url)) == CONNECTIONS

    await eventually(all_there)
    return await asyncio.to_thread(postgres.backend_pids, url)


async def test_a_hung_connection_delays_only_its_own_batch(
    private_postgres: PostgresServer, serve: Start
) -> None:
    """While a batch hangs others go out without a wait, and it is sent again in time."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url)
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:

        async def in_flight() -> bool:
            metrics = await client.get(f"{server.metrics_url}/metrics")
            return "http_server_active_requests 1" in metrics.text

        await server.all_connected()
        await client.post("/orders", json=ORDER)
        insert = "INSERT INTO orders"
        with stopped(await asyncio.to_thread(private_postgres.last_backend, url, insert)):
            hung = asyncio.ensure_future(client.post("/orders", json=ORDER | {"item": "late"}))
            await eventually(in_flight)
            sent = time.perf_counter()
            answers = [await client.post("/orders", json=ORDER) for _ in range(5)]
            seconds = time.perf_counter() - sent
            still = not hung.done()
            late = await hung
        found = await client.get(late.headers["location"])
        listed = await client.get("/orders")

    assert [201] * 5 == [answer.status_code for answer in answers]
    assert still
    assert seconds < 2
    assert [201, 200] == [late.status_code, found.status_code]
    assert 1 == [order["item"] for order in listed.json()].count("late")


@pytest.mark.parametrize("probe", [True, False], ids=["and the probe", "but the probe"])
async def test_connections_that_all_hang_are_replaced(
    private_postgres: PostgresServer, serve: Start, *, probe: bool
) -> None:
    """When every idle connection goes silent, creates and reads are answered on new ones."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url)
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        made = await client.post("/orders", json=ORDER)
        path = made.headers["location"]
        pids = await all_backends(private_postgres, url)
        if not probe:
            pids.remove(await backend_of_readiness(server, private_postgres, url))
        with contextlib.ExitStack() as stack:
            for pid in pids:
                stack.enter_context(stopped(pid))
            answers = await asyncio.gather(
                client.post("/orders", json=ORDER), client.get(path), client.get("/orders")
            )
        backends = len(private_postgres.backend_pids(url))

    assert [201, 200, 200] == [answer.status_code for answer in answers]
    assert backends <= 2 * len(pids) + 1


async def test_dropped_packets_cost_latency(
    private_postgres: PostgresServer, serve: Start
) -> None:
    """When the network drops what every connection sends, requests are answered on new ones.

    The old ones, of which the service never hears again, are ended at the server.
    """
    url = private_postgres.migrated_database()
    parts = urlsplit(url)
    proxy = SilentProxy(parts.port or 0)
    async with proxy.running(), httpx.AsyncClient(timeout=10) as client:
        netloc = parts.netloc.replace(f":{parts.port}", f":{proxy.port}")
        environ = {"DATABASE_URL": parts._replace(netloc=netloc).geturl()}
        server = await asyncio.to_thread(lambda: serve(**environ))
        made = await client.post(f"{server.url}/orders", json=ORDER)
        before = await all_backends(private_postgres, url)
        proxy.silence()
        answers = await asyncio.gather(
            client.post(f"{server.url}/orders", json=ORDER),
            client.get(f"{server.url}{made.headers['location']}"),
            client.get(f"{server.url}/orders"),
            client.post(f"{server.url}/orders/batch", json=[ORDER]),
        )

        async def replaced() -> bool:
            pids = await asyncio.to_thread(private_postgres.backend_pids, url)
            return len(pids) == len(before) and not set(pids) & set(before)

        await eventually(replaced)
        assert 0 == await asyncio.to_thread(server.stop)

        async def none() -> bool:
            return not await asyncio.to_thread(private_postgres.backend_pids, url)

        await eventually(none)

    assert [201, 200, 200, 201] == [answer.status_code for answer in answers]


async def test_a_hung_probe_is_replaced(private_postgres: PostgresServer, serve: Start) -> None:
    """Readiness fails while its connection hangs, and is back with a new one, not with the old."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url)
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        with stopped(await backend_of_readiness(server, private_postgres, url)):
            failed = await asyncio.gather(*(client.get("/readyz?verbose") for _ in range(3)))

            async def ready() -> bool:
                return (await client.get("/readyz")).status_code == 200

            await eventually(ready, within=5)

    assert {503} == {answer.status_code for answer in failed}
    assert all("[-]database failed: no answer" in answer.text for answer in failed)
    assert all(answer.elapsed.total_seconds() < 3 for answer in failed)
