"""Every statement of the hot paths, as one constant each, prepared once on each connection.

The columns of an order come from the model, once, when this module is imported.

Lists travel as one array per column. Ids travel as text, which costs the driver a tenth of what a
`uuid.UUID` does. No statement joins the two tables, needs a unique index without the column by
which its table is distributed, or locks rows of several shards, so all of them run on Citus as on
PostgreSQL.
"""

from typing import Any, Final

from orders.model import COLUMNS
from orders.uuid7 import FIRST_ID, LAST_ID

_NAMES: Final = ", ".join(column.quoted for column in COLUMNS)
_LISTS: Final = [
    "text[]",
    *(f"{column.type}[]" for column in COLUMNS),
    "bigint[]",
]
"""The types of the lists in which orders travel: ids, the fields sent, and milliseconds."""
ORDER: Final = f"id, {_NAMES}, created_at"
"""The columns of `Order(*row)`."""
_SENT: Final = f"sent (id, {_NAMES}, sent_ms"
"""Values that are no columns of an order have names that no field may have."""
_AFTER: Final = len(_LISTS)
"""The number of the last parameter that is one of these lists."""


def _unnest(*more: str) -> str:
    """Return the SQL that makes rows of the lists, and of further lists of the types `more`."""
    lists = ", ".join(f"${n}::{kind}" for n, kind in enumerate((*_LISTS, *more), start=1))
    return f"unnest({lists})"


# Returns one row: how many of the orders were new. Rows go in by their ids, and before that the
# keys in their own order, so that two batches, or two copies of one, wait for each other in the
# same order and cannot deadlock.
INSERT: Final = f"""
WITH inserted AS (
    INSERT INTO orders (id, {_NAMES}, created_at)
    SELECT id::uuid, {_NAMES}, to_timestamp(sent_ms::double precision / 1000)
    FROM {_unnest()} AS {_SENT})
    ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING id
)
SELECT count(*) FROM inserted
"""

# Orders with a key are chosen by the ids that the insert of the keys returned. If they were chosen
# by key, two callers with one key in one batch would get two orders.
INSERT_WITH_KEYS: Final = f"""
WITH sent AS (
    SELECT id::uuid AS id, {_NAMES}, sent_ms, sent_key, sent_subject
    FROM {_unnest("text[]", "text[]")} AS {_SENT}, sent_key, sent_subject)
),
claimed AS (
    INSERT INTO order_keys (subject, key, ids)
    SELECT sent_subject, sent_key, ARRAY[id] FROM sent WHERE sent_key IS NOT NULL
    ORDER BY sent_key, sent_subject, id
    ON CONFLICT DO NOTHING
    RETURNING ids
),
inserted AS (
    INSERT INTO orders (id, {_NAMES}, created_at)
    SELECT id, {_NAMES}, to_timestamp(sent_ms::double precision / 1000) FROM sent
    WHERE sent_key IS NULL OR id IN (SELECT unnest(ids) FROM claimed)
    ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING id
)
SELECT count(*) FROM inserted
"""

# Inserts many orders under one key: all of them if the key is new, otherwise none. Without orders
# `sent` is empty, so no key is claimed either.
INSERT_UNDER_ONE_KEY: Final = f"""
WITH sent AS (
    SELECT id::uuid AS id, {_NAMES}, sent_ms
    FROM {_unnest()} AS {_SENT})
),
claimed AS (
    INSERT INTO order_keys (subject, key, ids)
    SELECT ${_AFTER + 2}::text, ${_AFTER + 1}::text, $1::text[]::uuid[] FROM sent LIMIT 1
    ON CONFLICT DO NOTHING
    RETURNING ids
),
inserted AS (
    INSERT INTO orders (id, {_NAMES}, created_at)
    SELECT id, {_NAMES}, to_timestamp(sent_ms::double precision / 1000) FROM sent
    WHERE EXISTS (SELECT FROM claimed)
    ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING id
)
SELECT count(*) FROM inserted
"""

# This also finds a key of one subject that the batch has for another one. Those are few, and in
# this form the index serves each key.
SELECT_KEYS: Final = """
SELECT subject, key, ids::text[] FROM order_keys
WHERE key = ANY($1::text[]) AND subject = ANY($2::text[])
"""

SELECT_BY_ID: Final = f"""
SELECT {ORDER} FROM orders WHERE id = ANY($1::text[]::uuid[])
"""

# A commit that wrote nothing waits for no standby. This one writes a record of a few bytes after
# the records of the orders that were found, so a standby that has it has them.
CONFIRM: Final = """
SELECT pg_logical_emit_message(true, 'orders', '') IS NOT NULL WHERE $1::int = 1
"""

IS_DISTRIBUTED: Final = """
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') WHERE $1::int = 1
"""

ISOLATION: Final = "SELECT current_setting('transaction_isolation') WHERE $1::int = 1"

# Pages: the orders between two ids, without these two, from the newest or from the oldest.
OLDER: Final = f"""
SELECT {ORDER} FROM orders
WHERE id < $1::text::uuid AND id > $2::text::uuid ORDER BY id DESC LIMIT $3::int
"""

NEWER: Final = f"""
SELECT {ORDER} FROM orders
WHERE id > $1::text::uuid AND id < $2::text::uuid ORDER BY id ASC LIMIT $3::int
"""

# The same for the orders of one item. Item and id are compared as a row, not one by one, so that
# only the index of both has the order that is asked for: whatever the planner estimates, it never
# reads the orders of other items.
OLDER_OF_ITEM: Final = f"""
SELECT {ORDER} FROM orders
WHERE (item COLLATE "C", id) < ($4::text, $1::text::uuid)
    AND (item COLLATE "C", id) > ($4::text, $2::text::uuid)
ORDER BY item COLLATE "C" DESC, id DESC LIMIT $3::int
"""

NEWER_OF_ITEM: Final = f"""
SELECT {ORDER} FROM orders
WHERE (item COLLATE "C", id) > ($4::text, $1::text::uuid)
    AND (item COLLATE "C", id) < ($4::text, $2::text::uuid)
ORDER BY item COLLATE "C" ASC, id ASC LIMIT $3::int
"""

# What each kind of connection prepares before use; with these parameters it changes nothing.
WARM_WRITE: Final[list[tuple[str, list[Any]]]] = [
    (INSERT, [[] for _ in _LISTS]),
    (INSERT_WITH_KEYS, [[] for _ in (*_LISTS, "key", "subject")]),
    (SELECT_KEYS, [[], []]),
    (SELECT_BY_ID, [[]]),
]
WARM_BULK: Final[list[tuple[str, list[Any]]]] = [
    (INSERT, [[] for _ in _LISTS]),
    (INSERT_UNDER_ONE_KEY, [*([] for _ in _LISTS), "none", ""]),
    (SELECT_KEYS, [[], []]),
    (SELECT_BY_ID, [[]]),
]
WARM_READ: Final[list[tuple[str, list[Any]]]] = [(SELECT_BY_ID, [[]])]
WARM_PAGE: Final[list[tuple[str, list[Any]]]] = [
    (OLDER, [LAST_ID, FIRST_ID, 1]),
    (NEWER, [LAST_ID, LAST_ID, 1]),
    (OLDER_OF_ITEM, [LAST_ID, FIRST_ID, 1, ""]),
    (NEWER_OF_ITEM, [LAST_ID, LAST_ID, 1, ""]),
]
