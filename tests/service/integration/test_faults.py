"""Faults with the real server and a real PostgreSQL: what callers notice, what is kept.

Each test runs a load, breaks something, and compares the table with the callers' ledger.
"""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from orders.embedded import Mode
from tests.helpers.order_load import Load, post_order
from tests.helpers.postgres import PostgresServer
from tests.helpers.server import Server, eventually

Start = Callable[..., Server]


async def stored(postgres: PostgresServer, url: str) -> list[tuple[str, str]]:
    """Return (item, id) of every order in the table."""
    rows = await asyncio.to_thread(postgres.execute, "SELECT item, id::text FROM orders", url)
    return [(row[0], row[1]) for row in rows]


async def reads(server: Server, order_id: str, enough: asyncio.Event) -> Counter[int]:
    """Read an order again and again until it is enough; count the statuses."""
    statuses: Counter[int] = Counter()
    async with httpx.AsyncClient(base_url=server.url, timeout=15) as client:
        while not enough.is_set():
            statuses[(await client.get(f"/orders/{order_id}")).status_code] += 1
    return statuses


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_restart_of_postgresql_costs_no_request(
    private_postgres: PostgresServer, serve: Start, mode: Mode
) -> None:
    """PostgreSQL stopped and started within the deadline: no request fails, none is doubled."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url, REQUEST_TIMEOUT="20")
    async with Load(server.url) as load:
        await load.more(200)
        await asyncio.to_thread(private_postgres.stop, mode)
        await asyncio.to_thread(private_postgres.start)
        await load.more(200)
    rows = await stored(private_postgres, url)

    assert [] == load.ledger.failures
    assert [] == load.ledger.missing(rows)
    assert [] == load.ledger.doubled(rows)
    assert load.ledger.attempts == len(rows)


async def test_killed_connections_cost_no_request(
    private_postgres: PostgresServer, serve: Start
) -> None:
    """Every backend terminated, again and again: no order and no read fails, none is doubled."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url)
    read = asyncio.Event()
    async with Load(server.url) as load:
        await load.more(1)
        found = next(iter(load.ledger.acknowledged.values()))
        reading = [asyncio.create_task(reads(server, found, read)) for _ in range(4)]
        for _ in range(10):
            await load.more(50)
            await asyncio.to_thread(private_postgres.terminate_backends, url)
        await load.more(50)
        read.set()
        statuses = sum(await asyncio.gather(*reading), Counter[int]())
    rows = await stored(private_postgres, url)

    assert {200} == set(statuses)
    assert statuses[200] > 50
    assert [] == load.ledger.failures
    assert [] == load.ledger.missing(rows)
    assert [] == load.ledger.doubled(rows)
    assert load.ledger.attempts == len(rows)


async def test_sigterm_under_load_fails_no_request(database_url: str, serve: Start) -> None:
    """Kept-alive callers see only good answers, the last of each with Connection: close."""
    server = serve(DATABASE_URL=database_url, SHUTDOWN_DELAY="1")
    async with Load(server.url) as load:
        await load.more(100)
        load.expect_drain()
        server.process.send_signal(signal.SIGTERM)
        status = await asyncio.to_thread(server.process.wait, 15)

    assert 0 == status
    assert [] == load.ledger.failures
    assert 16 == load.ledger.closed


async def test_readiness_fails_while_requests_are_still_served(
    database_url: str, serve: Start
) -> None:
    """After SIGTERM /readyz says 503 and an order is still taken, until the delay is over."""
    server = serve(DATABASE_URL=database_url, SHUTDOWN_DELAY="2")
    server.process.send_signal(signal.SIGTERM)
    async with httpx.AsyncClient(base_url=server.url) as client:
        await eventually(lambda: httpx.get(f"{server.url}/readyz").status_code == 503)
        answer = await client.post("/orders", json={"item": "late", "quantity": 1})
        alive = await client.get("/livez")
    status = await asyncio.to_thread(server.process.wait, 15)

    assert 201 == answer.status_code
    assert "close" == answer.headers["connection"]
    assert 200 == alive.status_code
    assert 0 == status


async def test_an_idle_connection_does_not_hold_up_the_end(
    database_url: str, serve: Start
) -> None:
    """A kept-alive connection without a request is no reason to stay."""
    server = serve(DATABASE_URL=database_url, SHUTDOWN_DELAY="0")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"ok\n")
    server.process.send_signal(signal.SIGTERM)
    status = await asyncio.to_thread(server.process.wait, 10)
    writer.close()

    assert 0 == status


async def test_sigkill_loses_no_acknowledged_order(
    private_postgres: PostgresServer, serve: Start
) -> None:
    """Whatever was answered with 201 before the process died is in the table."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url)
    async with Load(server.url) as load:
        await load.more(200)
        load.expect_crash()
        server.process.kill()
        await asyncio.to_thread(server.process.wait, 10)
    rows = await stored(private_postgres, url)

    assert [] == load.ledger.missing(rows)
    assert [] == load.ledger.doubled(rows)


async def test_a_thousand_posts_with_one_key_make_one_order(
    database_url: str, serve: Start
) -> None:
    """1,000 parallel requests with one Idempotency-Key get one order; one is not a replay."""
    server = serve(DATABASE_URL=database_url)
    body, key = b'{"item":"once","quantity":1}', 'Idempotency-Key: "the one"\r\n'
    answers = await asyncio.gather(*(post_order(server.port, body, key) for _ in range(1000)))
    async with httpx.AsyncClient(base_url=server.url) as client:
        page = (await client.get("/orders")).json()

    assert {201} == {status for status, _, _ in answers}
    assert 1 == len({content for _, _, content in answers})
    assert 999 == sum("idempotency-replayed: true" in headers for _, headers, _ in answers)
    assert ["once"] == [order["item"] for order in page]


async def test_a_long_outage_is_answered_at_once(
    private_postgres: PostgresServer, serve: Start
) -> None:
    """With PostgreSQL away for longer than a deadline, requests get 503 and Retry-After at once.

    Readiness fails, liveness does not, and all is well again without a restart of the service.
    """
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url, REQUEST_TIMEOUT="1")
    order = {"item": "patience", "quantity": 1}
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        await asyncio.to_thread(private_postgres.stop, "fast")
        first = await client.post("/orders", json=order)

        async def refused_at_once() -> bool:
            started = time.perf_counter()
            answer = await client.post("/orders", json=order)
            return answer.status_code == 503 and time.perf_counter() - started < 0.5

        await eventually(refused_at_once)
        answer = await client.post("/orders", json=order)
        ready, alive = await client.get("/readyz"), await client.get("/livez")
        await asyncio.to_thread(private_postgres.start)

        async def served() -> bool:
            return (await client.post("/orders", json=order)).status_code == 201

        await eventually(served)

    assert 503 == first.status_code
    assert "deadline-exceeded" == first.json()["type"].rpartition("/")[2]
    assert "database-unavailable" == answer.json()["type"].rpartition("/")[2]
    assert "1" == answer.headers["retry-after"]
    assert 503 == ready.status_code
    assert 200 == alive.status_code


async def test_a_frozen_postgresql_is_answered_at_the_deadline(
    private_postgres: PostgresServer, serve: Start
) -> None:
    """A database that hangs without closing costs its callers the deadline, not more."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url, REQUEST_TIMEOUT="1")
    order = {"item": "frozen", "quantity": 1}
    with private_postgres.frozen(url):
        async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
            answers = await asyncio.gather(*(client.post("/orders", json=order) for _ in range(8)))
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:

        async def served() -> bool:
            return (await client.post("/orders", json=order)).status_code == 201

        await eventually(served)

    assert {503} == {answer.status_code for answer in answers}
    assert all(0.9 < answer.elapsed.total_seconds() < 3 for answer in answers)


async def test_a_full_queue_is_answered_at_once(
    private_postgres: PostgresServer, serve: Start
) -> None:
    """Over QUEUE_LIMIT the answer is 503 with Retry-After, without a wait."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url, REQUEST_TIMEOUT="2", QUEUE_LIMIT="4")
    with private_postgres.frozen(url):
        async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
            answers = await asyncio.gather(
                *(client.post("/orders", json={"item": "x", "quantity": 1}) for _ in range(40))
            )
    kinds = [answer.json()["type"].rpartition("/")[2] for answer in answers]
    refused = [a for a, kind in zip(answers, kinds, strict=True) if kind == "overloaded"]

    assert {"overloaded", "deadline-exceeded"} == set(kinds)
    assert {"1"} == {answer.headers["retry-after"] for answer in answers}
    assert all(answer.elapsed.total_seconds() < 1 for answer in refused)
