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

# A statement that names a table fails while there is no such table, so that is asked first.
# `$1` is 1: the driver prepares a statement without parameters anew each time. The version is cast
# so that the plan fits whatever type a later release gives the column.
HAS_VERSIONS: Final = "SELECT to_regclass('orders_migrations') IS NOT NULL WHERE $1::integer = 1"
VERSION: Final = (
    "SELECT coalesce(max(version), 0)::integer FROM orders_migrations WHERE $1::integer = 1"
)

Fetch = Callable[[str, list[Any]], Awaitable[list[tuple[Any, ...]]]]


async def schema_version(fetch: Fetch) -> int:
    """Return the number of the last migration applied, 0 before the first.

    Args:
        fetch: runs a statement with its parameters and returns its rows; its errors propagate.

    """
    if not (await fetch(HAS_VERSIONS, [1]))[0][0]:
        return 0
    return int((await fetch(VERSION, [1]))[0][0])
