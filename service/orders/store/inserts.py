"""Inserting orders, and finding out what became of those that an insert did not add.

An insert counts what it added. If that is everything, nothing more is asked. Otherwise an earlier
copy of the batch added some, a key already has another order, or something in the database kept a
row out. Reads by key and by id tell which, and no order is called stored unless it was read.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

from msgspec import Struct

from orders.errors import IdempotencyKeyReused, Internal, OrderMissing
from orders.model import COLUMNS, NewOrder, Order
from orders.store import statements
from orders.store.refusals import RefusalLog
from orders.store.schema import Fetch

_FIELDS: Final = [attrgetter(column.field) for column in COLUMNS]


class NewRow(Struct, gc=False):
    """An order to insert.

    It gets its id, and the milliseconds since 1970 in that id, when it is first sent
    (`order_ids.py`). A key belongs to its subject: the same key of another subject is another one.
    """

    new: NewOrder
    key: str | None = None
    subject: str = ""
    id: str = ""
    ms: int = 0


class KeyWithoutOrder(NamedTuple):
    """A key is visible, but an order of it is not yet: ask again."""


Owners = dict[tuple[str, str], list[str]]
"""The ids that each key has, by subject and key."""

Answer = Order | KeyWithoutOrder | Exception | None
"""None for an order that is stored as sent, or else the earlier order of its key."""


async def insert(fetch: Fetch, rows: Sequence[NewRow]) -> int:
    """Insert in one statement, which is its own transaction; return how many were new."""
    sent = columns(rows)
    if any(row.key for row in rows):
        sent += [[row.key for row in rows], [row.subject for row in rows]]
        counted = await fetch(statements.INSERT_WITH_KEYS, sent)
    else:
        counted = await fetch(statements.INSERT, sent)
    return int(counted[0][0])


def columns(rows: Sequence[NewRow]) -> list[list[Any]]:
    """Return the ids of rows, each field that was sent, and the milliseconds, as lists."""
    news = [row.new for row in rows]
    return [
        [row.id for row in rows],
        *(list(map(field, news)) for field in _FIELDS),
        [row.ms for row in rows],
    ]


async def owned(fetch: Fetch, keys: Sequence[str], subjects: Sequence[str]) -> Owners:
    """Return the ids that keys have, by subject and key, for each subject with each key."""
    rows = await fetch(statements.SELECT_KEYS, [list(keys), list(subjects)])
    return {(subject, key): list(ids) for subject, key, ids in rows}


async def settle(fetch: Fetch, rows: Sequence[NewRow], refusals: RefusalLog) -> list[Answer]:
    """Find out what became of rows if an insert did not add them all.

    The keys are read before the orders, as they are written. What was found is confirmed by a
    commit that waits for standbys as an insert's does, because its own may have been cut short.
    """
    keyed = [row for row in rows if row.key is not None]
    owners: Owners = {}
    if keyed:
        keys = [row.key or "" for row in keyed]
        owners = await owned(fetch, keys, sorted({row.subject for row in keyed}))
    ids = {row.id for row in rows} | {ids[0] for ids in owners.values() if len(ids) == 1}
    stored = await read_orders(fetch, list(ids))
    await fetch(statements.CONFIRM, [1])

    answers = [_answer(row, owners, stored) for row in rows]
    early = any(isinstance(answer, KeyWithoutOrder) for answer in answers)
    if early and not await is_distributed(fetch):
        answers = [
            _missing(row, owners) if isinstance(answer, KeyWithoutOrder) else answer
            for row, answer in zip(rows, answers, strict=True)
        ]
    if kept_out := sum(isinstance(answer, Internal) for answer in answers):
        tell_kept_out(refusals, kept_out)
    return answers


async def read_orders(fetch: Fetch, ids: Sequence[str]) -> dict[str, Order]:
    """Return the orders that exist among these ids, by id."""
    return {row[0]: Order(*row) for row in await fetch(statements.SELECT_BY_ID, [ids])}


async def is_distributed(fetch: Fetch) -> bool:
    """Whether a key may become visible before its orders.

    PostgreSQL commits both together, so orders that are missing will not appear. Citus commits
    shard by shard.
    """
    [(distributed,)] = await fetch(statements.IS_DISTRIBUTED, [1])
    return bool(distributed)


def tell_kept_out(refusals: RefusalLog, rows: int) -> None:
    """Log how many rows are missing although the database accepted them."""
    refusals.tell("a row is missing after its insert; a trigger may have kept it out", rows)


def _answer(row: NewRow, owners: Owners, stored: dict[str, Order]) -> Answer:
    ids = [row.id] if row.key is None else owners.get((row.subject, row.key))
    if ids is None:
        return Internal()
    if len(ids) > 1:  # those of a bulk
        return IdempotencyKeyReused()
    [owner] = ids
    order = stored.get(owner)
    if order is None:
        return Internal() if row.key is None else KeyWithoutOrder()
    return None if owner == row.id else order


def _missing(row: NewRow, owners: Owners) -> Exception:
    own = owners.get((row.subject, row.key or "")) == [row.id]
    return Internal() if own else OrderMissing()
