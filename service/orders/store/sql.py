"""Every statement of the hot paths, as one constant each: prepared once on each connection.

Lists travel as one array a column. The ids travel as text, which the driver passes on for a tenth
of what a `uuid.UUID` costs it. Nothing here needs more than UUID keys and one row at a time, so
that PostgreSQL-compatible distributed engines can run it.
"""

from typing import Any, Final

# One row: how many of the orders were not there before. An order that was there before was sent
# by this service and its answer lost (same id), or has its idempotency key in common.
INSERT: Final = """
WITH inserted AS (
    INSERT INTO orders (id, item, quantity, created_at, idempotency_key)
    SELECT id::uuid, item, quantity, to_timestamp(ms::double precision / 1000), key
    FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::text[])
        AS sent (id, item, quantity, ms, key)
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM inserted
"""

SELECT_BY_KEY: Final = """
SELECT idempotency_key, id, item, quantity, created_at
FROM orders WHERE idempotency_key = ANY($1::text[])
"""

SELECT_BY_ID: Final = """
SELECT id, item, quantity, created_at FROM orders WHERE id = ANY($1::text[]::uuid[])
"""

LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"

OLDER: Final = """
SELECT id, item, quantity, created_at FROM orders
WHERE id < $1::text::uuid ORDER BY id DESC LIMIT $2::int
"""

NEWER: Final = """
SELECT id, item, quantity, created_at FROM orders
WHERE id > $1::text::uuid ORDER BY id ASC LIMIT $2::int
"""

WARM_WRITE: Final[list[tuple[str, list[Any]]]] = [
    (INSERT, [[], [], [], [], []]),
    (SELECT_BY_KEY, [[]]),
]
WARM_READ: Final[list[tuple[str, list[Any]]]] = [(SELECT_BY_ID, [[]])]
WARM_PAGE: Final[list[tuple[str, list[Any]]]] = [(OLDER, [LAST_ID, 1]), (NEWER, [LAST_ID, 1])]
