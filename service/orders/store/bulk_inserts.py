"""Inserting the orders of one caller together: all of them, or none.

They may share one key, whose row holds all their ids in the order in which they were sent. One
statement inserts the key and the orders, so a request that is sent again finds the key and adds
nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from orders.errors import Internal, OrderMissing
from orders.model import Order
from orders.store import statements
from orders.store.inserts import (
    KeyWithoutOrder,
    NewRow,
    columns,
    is_distributed,
    owned,
    read_orders,
    tell_kept_out,
)
from orders.store.refusals import RefusalLog
from orders.store.schema import Fetch


class Bulk(NamedTuple):
    """Orders to insert together.

    Their rows have no keys of their own; they share one, which belongs to the subject.
    """

    rows: Sequence[NewRow]
    key: str | None
    subject: str = ""


BulkAnswer = Sequence[Order] | KeyWithoutOrder | Exception | None
"""None for orders that are stored as sent, or else the earlier orders of their key."""


async def insert_bulk(fetch: Fetch, bulk: Bulk) -> int:
    """Insert in one statement, which is its own transaction; return how many were new."""
    sent = columns(bulk.rows)
    if bulk.key is None:
        counted = await fetch(statements.INSERT, sent)
    else:
        counted = await fetch(statements.INSERT_UNDER_ONE_KEY, [*sent, bulk.key, bulk.subject])
    return int(counted[0][0])


async def settle_bulk(fetch: Fetch, bulk: Bulk, refusals: RefusalLog) -> BulkAnswer:
    """Find out what became of orders if an insert did not add them all; see `settle`."""
    sent = [row.id for row in bulk.rows]
    ids = sent
    if bulk.key is not None:
        owners = await owned(fetch, [bulk.key], [bulk.subject])
        ids = owners.get((bulk.subject, bulk.key), [])
    stored = await read_orders(fetch, ids)
    await fetch(statements.CONFIRM, [1])

    orders = [stored[order_id] for order_id in ids if order_id in stored]
    if ids and len(orders) == len(ids):
        return None if ids == sent else orders
    if ids and bulk.key is not None and await is_distributed(fetch):
        return KeyWithoutOrder()
    if ids and ids != sent:
        return OrderMissing()
    tell_kept_out(refusals, len(sent) - len(orders))
    return Internal()
