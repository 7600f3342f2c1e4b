"""Inserting orders, and what became of those that an insert did not add.

An insert counts what it added. If that is all, no more is asked. Otherwise an earlier copy of the
batch has added some, a key is somebody else's, or something in the database kept a row out; which
one it was is read by key and by id, and nothing that was not seen is called stored.
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
    """An order on its way in.

    It gets its id, and the milliseconds since 1970 that this carries, when it is sent for the
    first time (`order_ids.py`). A key is the subject's: that of another one is another key.
    """

    new: NewOrder
    key: str | None = None
    subject: str = ""
    id: str = ""
    ms: int = 0


class KeyWithoutOrder(NamedTuple):
    """A key is there and an order that it has is not there yet: to be asked again."""


Owners = dict[tuple[str, str], list[str]]
"""The ids that a key has, by its subject and itself."""

Answer = Order | KeyWithoutOrder | Exception | None
"""None for an order that is stored as sent, or the order that its key has."""


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
    """Return the ids that keys have, by subject and key; of each subject with each key."""
    found = await fetch(statements.SELECT_KEYS, [list(keys), list(subjects)])
    return {(subject, key): list(ids) for subject, key, ids in found}


async def settle(fetch: Fetch, rows: Sequence[NewRow], refusals: RefusalLog) -> list[Answer]:
    """Find out what became of rows of which an insert has not added all.

    The keys are read before the orders, as they are written. What was found is confirmed by a
    commit that waits for the standbys as that of an insert does: its own may have been cut short.
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
    """Return those of the orders that are there, by id."""
    return {row[0]: Order(*row) for row in await fetch(statements.SELECT_BY_ID, [ids])}


async def is_distributed(fetch: Fetch) -> bool:
    """Whether a key may show before its orders.

    PostgreSQL commits both together, so orders that are not there do not come any more. Citus
    commits shard by shard.
    """
    [(distributed,)] = await fetch(statements.IS_DISTRIBUTED, [1])
    return bool(distributed)


def tell_kept_out(refusals: RefusalLog, rows: int) -> None:
    """Log that so many rows are not there though the database took them."""
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
