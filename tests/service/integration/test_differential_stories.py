"""The hot calls against Litestar, in what one request after the other does not show.

Each server of `tests.helpers.entry_points` goes through each story, to the same end: many callers
at once, those who leave, connections to the database that die.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.helpers.cut_proxy import CutProxy, cut_proxy
from tests.helpers.entry_points import KINDS
from tests.helpers.postgres import Databases, PostgresServer
from tests.helpers.raw_http import leave
from tests.helpers.server import Server
from tests.service.integration.test_hot_path import (
    CHUNKED,
    CREATE,
    READ,
    UNKNOWN,
    created,
    settled,
)

ITEM = b"espresso beans, 1 kg"
ITEMS = "SELECT item FROM orders"


@asynccontextmanager
async def running(name: str, folder: Path, url: str) -> AsyncIterator[Server]:
    """Start a server; it must end with 0, without an error in its log."""
    server = KINDS[name](folder / "serve.log", DATABASE_URL=url)
    try:
        await asyncio.to_thread(server.wait_for)
        yield server
    finally:
        status = await asyncio.to_thread(server.stop)
    assert 0 == status
    assert '"level":"ERROR"' not in server.output()


@pytest.mark.parametrize("name", KINDS)
async def test_callers_at_once_get_their_own_answers(
    name: str, database_url: str, tmp_path: Path
) -> None:
    """Whoever creates and reads beside many others has the own order, and nobody else's."""
    async with (
        running(name, tmp_path, database_url) as server,
        httpx.AsyncClient(base_url=server.url, timeout=15) as client,
    ):

        async def call(caller: int) -> set[str]:
            ids = set()
            for number in range(10):
                order = {"item": f"{caller}/{number}", "quantity": 1}
                made = await client.post("/orders", json=order)
                read = await client.get(made.headers["location"])
                assert (201, order["item"]) == (made.status_code, made.json()["item"])
                assert (200, made.json()) == (read.status_code, read.json())
                ids.add(made.json()["id"])
            return ids

        found = await asyncio.gather(*(call(caller) for caller in range(48)))

    assert 480 == len(set().union(*found))


@pytest.mark.parametrize("rudely", [False, True], ids=["goodbye", "reset"])
@pytest.mark.parametrize("name", KINDS)
async def test_callers_may_leave_at_each_point(
    name: str,
    rudely: bool,  # noqa: FBT001  a parameter of the test
    postgres: Databases,
    database_url: str,
    tmp_path: Path,
) -> None:
    """Whoever leaves, after whichever byte, disturbs nobody; a part of an order is none."""
    mine = {"item": "tea", "quantity": 1}
    async with running(name, tmp_path, database_url) as server:
        read = READ % created(server).encode()
        async with httpx.AsyncClient(base_url=server.url) as client:
            for request in (CREATE, CHUNKED, read):
                for length in range(0, len(request), 3):
                    leave(server.port, request[:length], rudely=rudely)
            await settled(server, client)
            parts = await asyncio.to_thread(postgres.execute, ITEMS, database_url)
            answer = await client.post("/orders", json=mine)
            for request in (CREATE, CHUNKED, read, READ % UNKNOWN.encode()) * 10:
                leave(server.port, request, rudely=rudely)
            await settled(server, client)
            found = await client.get(answer.headers["location"])

    assert [(ITEM.decode(),)] == parts
    assert (201, 200) == (answer.status_code, found.status_code)
    assert mine == {field: found.json()[field] for field in mine}


async def deaths(proxy: CutProxy, mark: bytes) -> AsyncIterator[None]:
    """Have a connection die at each point of the statement with a mark, and of its answer.

    The statement is cut after every 40 bytes, and lost whole; its answer after every 5.
    """
    for asked in range(0, 400, 40):
        proxy.cut(mark, asked=asked)
        yield
        assert proxy.died, "no statement had the mark"
    for answered in itertools.count(0, 5):
        proxy.cut(mark, answered=answered)
        yield
        if not proxy.died:
            assert answered > 0, "no statement had the mark"
            return


@pytest.mark.parametrize("name", KINDS)
async def test_a_connection_may_die_at_each_point(
    name: str, private_postgres: PostgresServer, tmp_path: Path
) -> None:
    """A connection to the database that dies in a statement costs no answer, and doubles none."""
    url = private_postgres.migrated_database()
    port = urlsplit(url).port or 0
    statuses: Counter[tuple[str, int]] = Counter()
    items = ["read"]
    async with (
        cut_proxy(port) as proxy,
        running(name, tmp_path, url.replace(f":{port}/", f":{proxy.port}/")) as server,
        httpx.AsyncClient(base_url=server.url, timeout=15) as client,
    ):
        order = (await client.post("/orders", json={"item": "read", "quantity": 1})).json()
        async for _ in deaths(proxy, order["id"].encode()):
            read = await client.get(f"/orders/{order['id']}")
            statuses["read", read.status_code] += 1
            assert order == read.json()
        for kind in ("create", "create with a key"):
            mark = f"dies in a {kind}, "
            async for _ in deaths(proxy, mark.encode()):
                items.append(f"{mark}{len(items)}")
                key = {"Idempotency-Key": f'"{items[-1]}"'} if "key" in kind else {}
                new = {"item": items[-1], "quantity": 1}
                made = await client.post("/orders", json=new, headers=key)
                statuses[kind, made.status_code] += 1
                assert items[-1] == made.json()["item"]
    rows = await asyncio.to_thread(private_postgres.execute, ITEMS, url)

    assert {("read", 200), ("create", 201), ("create with a key", 201)} == set(statuses)
    assert sorted(items) == sorted(item for (item,) in rows)
