"""Inserting orders, and what became of those that an insert did not add.

An insert counts what it added. If that is all, no more is asked. Otherwise an earlier copy of the
batch has added some, a key is somebody else's, or something in the database kept a row out; which
one it was is read by key and by id, and nothing that was not seen is called stored.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from orders.errors import Internal, OrderMissing
from orders.model import Order
from orders.store import sql
from orders.store.refusals import RefusalLog
from orders.store.schema import Fetch


class NewRow(NamedTuple):
    """An order on its way in; `ms` is the milliseconds since 1970 that its id carries."""

    id: str
    item: str
    quantity: int
    ms: int
    key: str | None


class KeyWithoutOrder(NamedTuple):
    """A key is there and its order, which has this id, is not there yet: to be asked again."""

    id: str


Answer = Order | KeyWithoutOrder | Exception | None
"""None for an order that is stored as sent, or the order that its key has."""


async def insert(fetch: Fetch, rows: Sequence[NewRow]) -> int:
    """Insert in one statement, which is its own transaction; return how many were new."""
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
    if any(columns[4]):
        counted = await fetch(sql.INSERT_WITH_KEYS, columns)
    else:
        counted = await fetch(sql.INSERT, columns[:4])
    return int(counted[0][0])


async def settle(fetch: Fetch, rows: Sequence[NewRow], refusals: RefusalLog) -> list[Answer]:
    """Find out what became of rows of which an insert has not added all.

    The keys are read before the orders, as they are written. What was found is confirmed by a
    commit that waits for the standbys as that of an insert does: its own may have been cut short.
    """
    keys = [row.key for row in rows if row.key is not None]
    owners: dict[str, str] = {}
    if keys:
        owners = {key: ids[0] for key, ids in await fetch(sql.SELECT_KEYS, [keys])}
    ids = {row.id for row in rows} | set(owners.values())
    stored = {found[0]: Order(*found) for found in await fetch(sql.SELECT_BY_ID, [list(ids)])}
    await fetch(sql.CONFIRM, [1])

    answers = [_answer(row, owners, stored) for row in rows]
    if any(isinstance(answer, KeyWithoutOrder) for answer in answers):
        # PostgreSQL commits a key and its order together, so no order will come any more. Citus
        # commits shard by shard.
        [(distributed,)] = await fetch(sql.IS_DISTRIBUTED, [1])
        if not distributed:
            answers = [
                _missing(row, answer) if isinstance(answer, KeyWithoutOrder) else answer
                for row, answer in zip(rows, answers, strict=True)
            ]
    if kept_out := sum(isinstance(answer, Internal) for answer in answers):
        refusals.tell("a row is not there after its insert: a trigger kept it out?", kept_out)
    return answers


def _answer(row: NewRow, owners: dict[str, str], stored: dict[str, Order]) -> Answer:
    owner = row.id if row.key is None else owners.get(row.key)
    if owner is None:
        return Internal()
    order = stored.get(owner)
    if order is None:
        return Internal() if row.key is None else KeyWithoutOrder(owner)
    return None if owner == row.id else order


def _missing(row: NewRow, key: KeyWithoutOrder) -> Exception:
    if key.id == row.id:
        return Internal()
    return OrderMissing(f"order {key.id} was created with this key, and is not there any more")
