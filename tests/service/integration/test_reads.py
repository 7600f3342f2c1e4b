"""What batching must not change: reads see writes, and one order's fate is its own."""

import asyncio
from collections import Counter
from collections.abc import Callable

import httpx

from tests.helpers.postgres import Databases
from tests.helpers.server import Server

Start = Callable[..., Server]

WORKERS = 32


def client(server: Server) -> httpx.AsyncClient:
    """Open a client with a connection for each worker."""
    limits = httpx.Limits(max_connections=WORKERS)
    return httpx.AsyncClient(base_url=server.url, limits=limits, timeout=20)


async def test_an_order_is_found_as_soon_as_it_is_answered(
    database_url: str, serve: Start
) -> None:
    """Callers that each read what they just created, also in pages and batches, always find it."""
    server = serve(DATABASE_URL=database_url)
    async with client(server) as api:

        async def work(worker: int) -> list[int]:
            found = []
            for number in range(20):
                order = {"item": f"{worker}/{number}", "quantity": 1}
                if number % 5:
                    made = (await api.post("/orders", json=order)).json()
                else:
                    made = (await api.post("/orders/batch", json=[order])).json()[0]
                read = await api.get(f"/orders/{made['id']}")
                found.append(read.status_code)
                assert made == read.json()
            return found

        statuses = await asyncio.gather(*(work(worker) for worker in range(WORKERS)))

    assert {200: WORKERS * 20} == Counter(status for found in statuses for status in found)


def test_nothing_is_before_or_after_the_only_order(database_url: str, serve: Start) -> None:
    """Beside the only order there are none, and so no links."""
    server = serve(DATABASE_URL=database_url)
    with httpx.Client(base_url=server.url) as client:
        order = client.post("/orders", json={"item": "only", "quantity": 1}).json()
        pages = [client.get(f"/orders?{side}={order['id']}") for side in ("before", "after")]
        every = client.get("/orders")

    assert [(200, []), (200, [])] == [(page.status_code, page.json()) for page in pages]
    assert [order] == every.json()
    assert [{}, {}, {}] == [page.links for page in (*pages, every)]


async def test_one_bad_row_fails_alone(
    database_url: str, postgres: Databases, serve: Start
) -> None:
    """Orders that the database refuses are 500; those beside them are 201 and there once."""
    postgres.execute("ALTER TABLE orders ADD CHECK (item NOT LIKE 'bad%')", database_url)
    server = serve(DATABASE_URL=database_url)
    items = [f"{'bad' if n % 10 == 3 else 'good'} {n}" for n in range(320)]
    async with client(server) as api:
        answers = await asyncio.gather(
            *(api.post("/orders", json={"item": item, "quantity": 1}) for item in items)
        )
        exposed = (await api.get(f"{server.metrics_url}/metrics")).text
    rows = await asyncio.to_thread(postgres.execute, "SELECT item FROM orders", database_url)

    assert [500 if item.startswith("bad") else 201 for item in items] == [
        answer.status_code for answer in answers
    ]
    assert {"https://orders.dev/problems/internal"} == {
        answer.json()["type"] for answer in answers if answer.status_code == 500
    }
    assert sorted(item for item in items if item.startswith("good")) == sorted(
        item for (item,) in rows
    )
    assert _mean_batch(exposed) > 1, "nothing was batched, so nothing was tested"


async def test_a_refused_row_stays_out_of_the_log(
    database_url: str, postgres: Databases, serve: Start
) -> None:
    """The log says why the database refused an order, and neither its item nor its key."""
    postgres.execute("ALTER TABLE orders ADD CHECK (item NOT LIKE 'secret%')", database_url)
    server = serve(DATABASE_URL=database_url, LOG_LEVEL="DEBUG")
    order, key = {"item": "secret item", "quantity": 1}, {"Idempotency-Key": '"secret key"'}
    async with client(server) as api:
        answer = await api.post("/orders", json=order, headers=key)
        batch = await api.post("/orders/batch", json=[order])
    server.stop()
    log = server.output()

    assert [500, 500] == [answer.status_code, batch.status_code]
    assert 'violates check constraint \\"orders_item_check' in log
    assert "secret" not in log
    assert "secret" not in answer.text


async def test_two_processes_with_the_same_keys_make_each_order_once(
    database_url: str, postgres: Databases, serve: Start
) -> None:
    """Both get the same keys at once, in opposite orders: no deadlock, one order for each key."""
    servers = [serve(DATABASE_URL=database_url), serve(DATABASE_URL=database_url)]
    keys = [f"key {n}" for n in range(200)]
    async with client(servers[0]) as one, client(servers[1]) as other:
        answers = await asyncio.gather(
            *(
                api.post(
                    "/orders",
                    json={"item": key, "quantity": 1},
                    headers={"Idempotency-Key": f'"{key}"'},
                )
                for pair in zip(keys, reversed(keys), strict=True)
                for api, key in zip((one, other), pair, strict=True)
            )
        )
    by_key: dict[str, set[str]] = {}
    for answer in answers:
        assert 201 == answer.status_code, answer.text
        by_key.setdefault(answer.json()["item"], set()).add(answer.json()["id"])
    rows = await asyncio.to_thread(
        postgres.execute, "SELECT key, ids[1]::text FROM order_keys", database_url
    )

    assert {key: {order_id} for key, order_id in rows} == by_key
    count = await asyncio.to_thread(postgres.execute, "SELECT count(*) FROM orders", database_url)
    assert [(len(keys),)] == count
    assert len(keys) == sum("idempotency-replayed" in answer.headers for answer in answers)
    assert [] == [server.log for server in servers if "deadlock" in server.output()]


def _mean_batch(exposed: str) -> float:
    """Return how many rows an insert had on average, from the metrics."""
    samples = dict(
        line.rsplit(" ", 1)
        for line in exposed.splitlines()
        if "batch" in line and 'insert"' in line and not line.startswith("#")
    )
    total = next(float(v) for name, v in samples.items() if "_sum{" in name)
    count = next(float(v) for name, v in samples.items() if "_count{" in name)
    return total / count
