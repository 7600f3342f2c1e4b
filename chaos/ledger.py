"""Compares the answers that callers got with the database, row by row, without side effects."""

import csv
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple


class Row(NamedTuple):
    """An order, in the database or in a ledger; there without an id if its end is unknown."""

    id: str | None
    item: str
    quantity: int
    key: str | None


class Comparison(NamedTuple):
    """How many orders, and of those:

    lost: acknowledged, and not in the database.
    different: acknowledged with another item, quantity or key than the database has.
    doubled: in the database although no caller was told so and none is without an answer, or one
        key acknowledged with two orders.
    unknown: nobody knows whether they were placed; `found` of them were.
    """  # noqa: D415  a list of its fields

    acknowledged: int
    lost: int
    different: int
    doubled: int
    unknown: int
    found: int


def compare(ledger: Iterable[Row], stored: Iterable[Row]) -> Comparison:
    """Compare."""
    entries = list(ledger)
    told = {row.id: row for row in entries if row.id is not None}
    unknown = {row.key for row in entries if row.id is None} - {row.key for row in told.values()}
    rows = {row.id: row for row in stored}
    extra = [row for row in rows.values() if row.id not in told]
    found = [row for row in extra if row.key in unknown]
    keys = Counter(row.key for row in told.values() if row.key is not None)
    return Comparison(
        acknowledged=len(told),
        lost=len(told.keys() - rows.keys()),
        different=sum(rows[it] != told[it] for it in told.keys() & rows.keys()),
        doubled=len(extra) - len(found) + sum(number - 1 for number in keys.values()),
        unknown=len(unknown),
        found=len(found),
    )


QUERY = "SELECT id, item, quantity, key FROM orders LEFT JOIN order_keys ON ids = ARRAY[id]"


def stored(text: str) -> list[Row]:
    """Read what `COPY (QUERY) TO STDOUT (FORMAT csv)` gave."""
    return [
        Row(identifier, item, int(quantity), key or None)
        for identifier, item, quantity, key in csv.reader(text.splitlines())
    ]
