"""Inserting the orders of one caller together: all of them, or none.

They may have one key between them, whose row names all of their ids, in the order they were sent.
The key and the orders go in with one statement, so a request that is sent again finds the key and
adds nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from orders.errors import Internal, OrderMissing
from orders.model import Order
from orders.store import sql
from orders.store.inserts import (
    KeyWithoutOrder,
    NewRow,
    columns,
    is_distributed,
    read_orders,
    tell_kept_out,
)
from orders.store.refusals import RefusalLog
from orders.store.schema import Fetch


class Bulk(NamedTuple):
    """Orders on their way in together; their rows have no keys of their own."""

    rows: Sequence[NewRow]
    key: str | None


BulkAnswer = Sequence[Order] | KeyWithoutOrder | Exception | None
"""None for orders that are stored as sent, or the orders that their key has."""


async def insert_bulk(fetch: Fetch, bulk: Bulk) -> int:
    """Insert in one statement, which is its own transaction; return how many were new."""
    ids, items, quantities, instants, _ = columns(bulk.rows)
    if bulk.key is None:
        counted = await fetch(sql.INSERT, [ids, items, quantities, instants])
    else:
        counted = await fetch(
            sql.INSERT_UNDER_ONE_KEY, [ids, items, quantities, instants, bulk.key]
        )
    return int(counted[0][0])


async def settle_bulk(fetch: Fetch, bulk: Bulk, refusals: RefusalLog) -> BulkAnswer:
    """Find out what became of orders of which an insert has not added all; see `settle`."""
    sent = [row.id for row in bulk.rows]
    ids = sent
    if bulk.key is not None:
        found = await fetch(sql.SELECT_KEYS, [[bulk.key]])
        ids = list(found[0][1]) if found else []
    stored = await read_orders(fetch, ids)
    await fetch(sql.CONFIRM, [1])

    orders = [stored[order_id] for order_id in ids if order_id in stored]
    if ids and len(orders) == len(ids):
        return None if ids == sent else orders
    if ids and bulk.key is not None and await is_distributed(fetch):
        return KeyWithoutOrder()
    if ids and ids != sent:
        return OrderMissing()
    tell_kept_out(refusals, len(sent) - len(orders))
    return Internal()
