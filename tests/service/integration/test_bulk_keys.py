"""A batch with an Idempotency-Key: all of its orders or none, and never twice."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from orders.errors import Internal, OrderMissing
from orders.store.bulk_inserts import Bulk, BulkAnswer, insert_bulk, settle_bulk
from orders.store.inserts import KeyWithoutOrder
from orders.store.refusals import RefusalLog
from orders.store.schema import Fetch
from tests.helpers.entry_points import UUID
from tests.helpers.fake_citus import pretend_citus
from tests.helpers.migration_files import ask, until
from tests.helpers.postgres import Databases
from tests.helpers.problem_document import problem
from tests.helpers.server import Server, eventually
from tests.helpers.table_locks import table_locked
from tests.service.integration.test_inserts import connections, keep_out, new

Start = Callable[..., Server]

KEY = {"Idempotency-Key": '"a batch"'}
COUNT = "SELECT count(*) FROM orders"


def batch(size: int) -> list[dict[str, Any]]:
    """Make the body of a request."""
    return [{"item": f"tea {n}", "quantity": n + 1} for n in range(size)]


def test_a_batch_is_replayed_for_ever(
    postgres: Databases, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A thousand orders that are sent again are the same thousand, also in the next process."""
    url = postgres.migrated_database()
    folder = tmp_path_factory.mktemp("replay")
    answers = []
    counted = ""
    for number in range(2):
        server = Server(folder / f"{number}.log", DATABASE_URL=url)
        server.wait_for()
        answers += [
            httpx.post(f"{server.url}/orders/batch", json=batch(1_000), headers=KEY, timeout=20)
            for _ in range(2)
        ]
        counted = httpx.get(f"{server.metrics_url}/metrics").text
        assert 0 == server.stop()
    first, *replays = answers

    assert [201] * 4 == [answer.status_code for answer in answers]
    assert [None, "true", "true", "true"] == [
        answer.headers.get("idempotency-replayed") for answer in answers
    ]
    assert {first.content} == {answer.content for answer in replays}
    assert batch(1_000) == [
        {"item": order["item"], "quantity": order["quantity"]} for order in first.json()
    ]
    assert [(1_000,)] == postgres.execute(COUNT, url)
    assert "orders_replayed_total 2.0" in counted
    assert "orders_created_total 0.0" in counted


async def test_callers_at_once_with_one_key_share_a_batch(database_url: str, serve: Start) -> None:
    """Of many that send it at the same time one creates the orders, and all get these."""
    servers = [await asyncio.to_thread(serve, DATABASE_URL=database_url) for _ in range(2)]
    async with httpx.AsyncClient(timeout=20) as api:
        answers = await asyncio.gather(
            *(
                api.post(f"{server.url}/orders/batch", json=batch(50), headers=KEY)
                for server in servers * 8
            )
        )

    assert {201} == {answer.status_code for answer in answers}
    assert 1 == len({answer.content for answer in answers})
    assert 15 == [a.headers.get("idempotency-replayed") for a in answers].count("true")
    assert [(50,)] == await ask(database_url, COUNT)


async def test_a_key_belongs_to_its_payload(database_url: str, serve: Start) -> None:
    """Other orders under the key are 422, of a batch or alone, and the answer has nobody's id."""
    server = await asyncio.to_thread(serve, DATABASE_URL=database_url)
    sent = batch(3)
    changed = [*sent[:2], sent[2] | {"quantity": 4}]
    alone = {"Idempotency-Key": '"alone"'}
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as api:
        await api.post("/orders/batch", json=sent, headers=KEY)
        single = await api.post("/orders", json=sent[0], headers=alone)
        others = [
            await api.post("/orders/batch", json=other, headers=KEY)
            for other in (changed, sent[::-1], sent[:2], [*sent, sent[0]])
        ]
        others += [
            await api.post("/orders", json=sent[0], headers=KEY),
            await api.post("/orders/batch", json=sent, headers=alone),
            await api.post("/orders", json=sent[1], headers=alone),
        ]
        of_one = await api.post("/orders/batch", json=sent[:1], headers=alone)

    assert [422] * 7 == [other.status_code for other in others]
    assert {"idempotency-key-reused"} == {problem(other) for other in others}
    assert not any(UUID.search(other.text) for other in others)
    assert ([single.json()], "true") == (of_one.json(), of_one.headers["idempotency-replayed"])
    assert [(4,)] == await ask(database_url, COUNT)


async def test_a_batch_that_was_refused_leaves_its_key_free(
    database_url: str, serve: Start
) -> None:
    """What does not validate, or is refused by the database, can be sent again in another form."""
    server = await asyncio.to_thread(serve, DATABASE_URL=database_url)
    await ask(database_url, "ALTER TABLE orders ADD CHECK (item <> 'tea 1') NOT VALID")
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as api:
        refused = [
            await api.post("/orders/batch", json=orders, headers=KEY)
            for orders in ([*batch(1), {"item": "tea"}], batch(2))
        ]
        taken = await api.post("/orders/batch", json=batch(1), headers=KEY)

    assert [400, 500] == [answer.status_code for answer in refused]
    assert 201 == taken.status_code
    assert "idempotency-replayed" not in taken.headers
    assert [(1,)] == await ask(database_url, COUNT)


async def test_a_batch_whose_connection_dies_is_stored_once(
    database_url: str, serve: Start
) -> None:
    """It is sent again on another connection with the same ids; its caller notices nothing."""
    server = await asyncio.to_thread(serve, DATABASE_URL=database_url)
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    kill = waiting.replace("pid", "pg_terminate_backend(pid)")
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as api:
        async with table_locked(database_url):
            sent = asyncio.ensure_future(api.post("/orders/batch", json=batch(10), headers=KEY))
            await until(lambda: ask(database_url, waiting))
            await ask(database_url, kill)
        first = await sent
        again = await api.post("/orders/batch", json=batch(10), headers=KEY)

    assert 201 == first.status_code
    assert first.content == again.content
    assert [(10,)] == await ask(database_url, COUNT)


async def test_orders_that_come_after_their_key_are_waited_for(
    database_url: str, serve: Start
) -> None:
    """On Citus, which commits shard by shard, a replay is answered once all orders are there."""
    await pretend_citus(database_url)
    server = await asyncio.to_thread(serve, DATABASE_URL=database_url)
    asked = (
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%extname%' AND pid <> pg_backend_pid()"
    )
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as api:
        first = await api.post("/orders/batch", json=batch(3), headers=KEY)
        await ask(database_url, "CREATE TABLE kept AS SELECT * FROM orders WHERE quantity = 2")
        await ask(database_url, "DELETE FROM orders WHERE quantity = 2")

        async def is_asked_again() -> bool:
            return bool(await ask(database_url, asked))

        sent = asyncio.ensure_future(api.post("/orders/batch", json=batch(3), headers=KEY))
        await eventually(is_asked_again)
        waiting = not sent.done()
        await ask(database_url, "INSERT INTO orders SELECT * FROM kept")
        answer = await sent

    assert waiting
    assert (201, first.content) == (answer.status_code, answer.content)


async def send(fetch: Fetch, bulk: Bulk) -> BulkAnswer:
    """Insert, and find out what became of the orders, as a lane does."""
    if await insert_bulk(fetch, bulk) == len(bulk.rows):
        return None
    return await settle_bulk(fetch, bulk, RefusalLog())


@pytest.mark.parametrize("key", ["k", None])
async def test_copies_at_once_are_one(database_url: str, key: str | None) -> None:
    """A batch that is sent four times at the same time is stored once, and each copy says so."""
    async with connections(database_url, 4) as fetches:
        for turn in range(10):
            bulk = Bulk([new("tea") for _ in range(50)], key and f"{key} {turn}")
            answers = await asyncio.gather(*(send(fetch, bulk) for fetch in fetches))
            assert [None] * 4 == answers

    assert [(500,)] == await ask(database_url, COUNT)


async def test_a_replay_has_the_orders_as_they_were_sent(database_url: str) -> None:
    """The ids of the key are in their order, and so are the orders of a replay."""
    bulk = Bulk([new(f"tea {n}") for n in (3, 1, 2)], "k")
    async with connections(database_url) as [fetch]:
        await send(fetch, bulk)
        answer = await send(fetch, Bulk([new("other")], "k"))

    assert isinstance(answer, list)
    assert [row.id for row in bulk.rows] == [order.id for order in answer]
    assert ["tea 3", "tea 1", "tea 2"] == [order.item for order in answer]


async def test_orders_of_a_key_that_are_gone_are_told(database_url: str) -> None:
    """PostgreSQL commits both together: an order that is not there was deleted."""
    bulk, again = Bulk([new("tea"), new("milk")], "k"), Bulk([new("tea"), new("milk")], "k")
    async with connections(database_url) as [fetch]:
        await send(fetch, bulk)
        await ask(database_url, "DELETE FROM orders WHERE item = 'milk'")
        theirs, own = await send(fetch, again), await send(fetch, bulk)
        await pretend_citus(database_url)
        later = [await send(fetch, again), await send(fetch, bulk)]

    assert isinstance(theirs, OrderMissing)
    assert isinstance(own, Internal)
    assert [KeyWithoutOrder()] * 2 == later


@pytest.mark.parametrize("table", ["orders", "order_keys"])
async def test_what_a_trigger_kept_out_is_not_stored(database_url: str, table: str) -> None:
    """Rows are counted, and those that are missing are read: nobody is told they are there."""
    await keep_out(database_url, table)
    async with connections(database_url) as [fetch]:
        answer = await send(fetch, Bulk([new("tea"), new("milk")], "k"))

    assert isinstance(answer, Internal)
    assert [(0,)] == await ask(database_url, COUNT)
