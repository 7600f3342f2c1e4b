"""Every statement of the hot paths, as one constant each: prepared once on each connection.

The columns of an order come from the model, once, when this module is imported.

Lists travel as one array a column. The ids travel as text, which the driver passes on for a tenth
of what a `uuid.UUID` costs it. No statement joins the two tables, needs a unique index without the
column that its table is distributed by, or locks rows of several shards, so all of them run on
Citus as on PostgreSQL.
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
"""The types of the lists that an order travels in: ids, what was sent, and milliseconds."""
ORDER: Final = f"id, {_NAMES}, created_at"
"""The columns of `Order(*row)`."""
_SENT: Final = f"sent (id, {_NAMES}, sent_ms"
"""What is no column of an order has names that no field has."""
_AFTER: Final = len(_LISTS)
"""The number of the last of their parameters."""


def _unnest(*more: str) -> str:
    """Return what makes rows of the lists, and of those of more types."""
    lists = ", ".join(f"${n}::{kind}" for n, kind in enumerate((*_LISTS, *more), start=1))
    return f"unnest({lists})"


# One row: how many of the orders were not there before. Rows go in by their ids, and before that
# the keys by theirs, so that two batches, or two copies of one, wait for one another in one order
# and cannot deadlock.
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

# Orders with a key go in by the ids that the insert of the keys returned. Chosen by key, two
# callers with one key in one batch would get two orders.
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

# Many orders under one key: all of them where the key is new, else none. Without orders `sent` is
# empty, so no key is claimed either.
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

# Also the keys that one subject has of another one's: few, and so the index serves each key.
SELECT_KEYS: Final = """
SELECT subject, key, ids::text[] FROM order_keys
WHERE key = ANY($1::text[]) AND subject = ANY($2::text[])
"""

SELECT_BY_ID: Final = f"""
SELECT {ORDER} FROM orders WHERE id = ANY($1::text[]::uuid[])
"""

# A commit that wrote nothing waits for no standby. This one writes a record of a few bytes, after
# those of the orders that were found; a standby that has it has them.
CONFIRM: Final = """
SELECT pg_logical_emit_message(true, 'orders', '') IS NOT NULL WHERE $1::int = 1
"""

IS_DISTRIBUTED: Final = """
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') WHERE $1::int = 1
"""

ISOLATION: Final = "SELECT current_setting('transaction_isolation') WHERE $1::int = 1"

# Pages: those between two ids, the ends left out, from the one or from the other end.
OLDER: Final = f"""
SELECT {ORDER} FROM orders
WHERE id < $1::text::uuid AND id > $2::text::uuid ORDER BY id DESC LIMIT $3::int
"""

NEWER: Final = f"""
SELECT {ORDER} FROM orders
WHERE id > $1::text::uuid AND id < $2::text::uuid ORDER BY id ASC LIMIT $3::int
"""

# The same among the orders of one item. Rows are compared, and not item and id apart, so that only
# the index of both has the order that is asked for: whatever the planner believes of the items, it
# never reads the orders of others.
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

# What each kind of connection prepares before it counts; with these parameters it changes nothing.
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
