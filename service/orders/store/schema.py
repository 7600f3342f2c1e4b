"""Which version of the schema this release needs, and which one the database has.

The server's half of the migrations: readiness compares the two and never changes anything. It is
apart from `migrate` so that a starting server reads no migration, and imports nothing, for it.
"""

from typing import TYPE_CHECKING, Final

from orders.store.migrations import highest_version

if TYPE_CHECKING:
    from psqlpy import Connection

REQUIRED_VERSION: Final = highest_version()
"""The number of the last migration in this package."""

# One statement, prepared once, that also answers while the table is not there. PostgreSQL resolves
# the tables a statement names before it evaluates any part of it, so the name has to stand in a
# text that is run later; ts_stat() is the one built-in function that runs a text and needs no
# optional library (query_to_xml() needs libxml). A statement without a row makes it return none.
# `$1` is 1: the driver prepares a statement without parameters anew each time.
SCHEMA_VERSION: Final = """
SELECT coalesce(max(word::integer), 0)
FROM ts_stat(CASE WHEN $1::integer = 1 AND to_regclass('orders_migrations') IS NOT NULL
    THEN 'SELECT array_to_tsvector(ARRAY[max(version)::text])
          FROM orders_migrations HAVING count(*) > 0'
    ELSE 'SELECT NULL::tsvector WHERE false' END)
"""
"""One row with one integer: the number of the last migration applied, 0 before the first."""


async def schema_version(connection: "Connection") -> int:
    """Return the number of the last migration applied, 0 before the first.

    Raises:
        psqlpy.exceptions.Error: the database did not answer, or the role may not read the table.
    """
    result = await connection.fetch(SCHEMA_VERSION, [1])
    return int(result.result(as_tuple=True)[0][0])
