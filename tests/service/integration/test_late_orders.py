"""On Citus, which commits shard by shard, a key may show before its order.

Its names in PostgreSQL stand in for Citus, and the order is taken away by hand.
"""

import asyncio
from collections.abc import Callable

import httpx

from tests.helpers.fake_citus import pretend_citus
from tests.helpers.migration_files import ask
from tests.helpers.problem_document import problem
from tests.helpers.server import Server, eventually

Start = Callable[..., Server]

ORDER = {"item": "tea", "quantity": 1}
KEY = {"Idempotency-Key": '"a"'}


async def test_an_order_that_comes_after_its_key_is_waited_for(
    database_url: str, serve: Start
) -> None:
    """A replay is answered once the order is there."""
    await pretend_citus(database_url)
    server = await asyncio.to_thread(serve, DATABASE_URL=database_url)
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as api:
        first = await api.post("/orders", json=ORDER, headers=KEY)
        await ask(database_url, "CREATE TABLE kept AS SELECT * FROM orders")
        await ask(database_url, "DELETE FROM orders")
        asked = (
            "SELECT 1 FROM pg_stat_activity"
            " WHERE query LIKE '%extname%' AND pid <> pg_backend_pid()"
        )

        async def is_asked_again() -> bool:
            return bool(await ask(database_url, asked))

        sent = asyncio.ensure_future(api.post("/orders", json=ORDER, headers=KEY))
        await eventually(is_asked_again)
        waiting = not sent.done()
        await ask(database_url, "INSERT INTO orders SELECT * FROM kept")
        answer = await sent

    assert waiting
    assert (201, first.json()) == (answer.status_code, answer.json())
    assert "true" == answer.headers["idempotency-replayed"]


async def test_an_order_that_never_comes_is_waited_for_until_the_deadline(
    database_url: str, serve: Start
) -> None:
    """Then it is 503, and another request is not held up by it."""
    await pretend_citus(database_url)
    server = await asyncio.to_thread(serve, DATABASE_URL=database_url, REQUEST_TIMEOUT="1")
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as api:
        await api.post("/orders", json=ORDER, headers=KEY)
        await ask(database_url, "DELETE FROM orders")
        sent = asyncio.ensure_future(api.post("/orders", json=ORDER, headers=KEY))
        others = [await api.post("/orders", json=ORDER) for _ in range(5)]
        waiting = not sent.done()
        answer = await sent

    assert (503, "deadline-exceeded") == (answer.status_code, problem(answer))
    assert waiting
    assert [201] * 5 == [other.status_code for other in others]
