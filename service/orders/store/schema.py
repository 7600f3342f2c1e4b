"""Which version of the schema this release needs, and which one the database has.

This is the server's half of the migrations: readiness compares the two and never changes anything.
It is apart from `migrate`, so that a starting server opens no migration file and does not import
the code that applies them.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from orders.store.migrations import highest_version

REQUIRED_VERSION: Final = highest_version()
"""The number of the last migration in this package."""

# A statement that names a table fails while there is no such table, so that is asked first, with
# the columns of orders, as each question is a round trip. `$1` is 1: the driver prepares a
# statement without parameters anew each time. The version is cast so that the plan fits whatever
# type a later release gives the column.
LOOK: Final = """
SELECT to_regclass('orders_migrations') IS NOT NULL, attname::text, format_type(atttypid, NULL),
    NOT attnotnull, atthasdef OR attidentity <> ''
FROM (SELECT) AS always LEFT JOIN pg_attribute
    ON attrelid = to_regclass('orders') AND attnum > 0 AND NOT attisdropped
WHERE $1::int = 1
"""
"""Returns one row per column, or one without any: whether the table of migrations is there, the
column's name and the fields of `drift.TableColumn`.
"""
VERSION: Final = (
    "SELECT coalesce(max(version), 0)::integer FROM orders_migrations WHERE $1::integer = 1"
)

Fetch = Callable[[str, list[Any]], Awaitable[list[tuple[Any, ...]]]]


async def schema_version(fetch: Fetch) -> int:
    """Return the number of the last migration applied, as `look` does."""
    return (await look(fetch))[0]


async def look(fetch: Fetch) -> tuple[int, list[tuple[Any, ...]]]:
    """Return the number of the last migration applied, 0 before the first, and the rows of `LOOK`.

    Args:
        fetch: runs a statement with its parameters and returns its rows; its errors propagate.

    """
    rows = await fetch(LOOK, [1])
    if not rows[0][0]:
        return 0, rows
    return int((await fetch(VERSION, [1]))[0][0]), rows
