"""Ids across restarts, with clocks that were ahead; PostgreSQL sorts and compares them."""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

import httpx

from orders.uuid7 import id_at
from tests.helpers.migration_files import ask
from tests.helpers.server import Server

Start = Callable[..., Server]

SEED = "INSERT INTO orders VALUES ('{}', 'of another clock', 1, now())"
YEAR = 365 * 86_400.0


async def test_ids_rise_across_a_restart(database_url: str, serve: Start) -> None:
    """The first order after a restart comes above the newest one that is half a minute ahead.

    One that is dated a year ahead dates no order after it, and neither way of creating knows more.
    """
    soon, wrong = id_at(30), id_at(YEAR)
    for order_id in (soon, wrong):
        await ask(database_url, SEED.format(order_id))
    ids = []
    for path in ("/orders", "/orders/batch"):
        server = await asyncio.to_thread(serve, DATABASE_URL=database_url)
        order = {"item": "tea", "quantity": 1}
        async with httpx.AsyncClient(base_url=server.url, timeout=20) as api:
            for _ in range(3):
                body = order if path == "/orders" else [order] * 3
                made = (await api.post(path, json=body)).json()
                ids += [made["id"]] if path == "/orders" else [one["id"] for one in made]
        await asyncio.to_thread(server.stop)

    assert 12 == len(ids)
    assert sorted({soon, *ids, wrong}) == [soon, *ids, wrong]
    assert UUID(ids[-1]).int >> 80 < (time.time() + 60) * 1000


async def test_ids_rise_through_all_ways_of_creating(database_url: str, serve: Start) -> None:
    """What is sent after an answer has the greater id, alone or in a batch, keyed or not."""
    server = await asyncio.to_thread(serve, DATABASE_URL=database_url)
    order = {"item": "tea", "quantity": 1}
    ids = []
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as api:
        for turn in range(20):
            key = {"Idempotency-Key": str(turn)} if turn % 3 else {}
            path, body = ("/orders/batch", [order] * 5) if turn % 2 else ("/orders", order)
            made = (await api.post(path, json=body, headers=key)).json()
            ids += [one["id"] for one in made] if turn % 2 else [made["id"]]

    assert sorted(set(ids)) == ids
