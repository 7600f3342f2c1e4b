"""Distributes the tables over the workers of Citus, where there are any.

Each table is distributed by the column by which its statements find rows. Nothing joins the two
tables, so they need not share workers. A table that is already distributed stays as it is, and
PostgreSQL without Citus is left alone.
"""

from typing import TYPE_CHECKING, Final

from psqlpy.exceptions import Error as DriverError

from orders.store.apply import TryAgain, begin, rollback
from orders.store.driver_errors import explain
from orders.store.migrations import MigrationError

if TYPE_CHECKING:
    from psqlpy import Connection

# Citus adds these catalogs; a statement that names them fails where it is not installed.
_HAS_CITUS: Final = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"
_PENDING: Final = """
SELECT name
FROM (VALUES ('orders'), ('order_keys')) AS wanted (name)
WHERE to_regclass(name) IS NOT NULL
    AND NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = to_regclass(name))
    AND EXISTS (
        SELECT FROM pg_dist_node
        WHERE groupid > 0 AND noderole = 'primary' AND isactive AND shouldhaveshards
    )
"""
_DISTRIBUTE: Final = {
    "orders": "SELECT create_distributed_table('orders', 'id')",
    "order_keys": "SELECT create_distributed_table('order_keys', 'key', colocate_with => 'none')",
}


async def distribute(connection: "Connection", *, lock_timeout: float) -> list[str]:
    """Distribute the tables that are not yet, in one transaction; return their names.

    Args:
        connection: where the transaction runs; nobody else uses it meanwhile.
        lock_timeout: seconds to wait for the lock of a table.

    Raises:
        TryAgain: another run is at work, a table is locked, or the connection was lost.
        MigrationError: Citus refused it; nothing was distributed.
    """
    try:
        if not (await _rows(connection, _HAS_CITUS))[0][0] or not await _pending(connection):
            return []
        await begin(connection, lock_timeout)
        # Read again: another run may have done it before this one got the lock.
        tables = await _pending(connection)
        for table in tables:
            await connection.execute_batch(_DISTRIBUTE[table])
        await connection.execute_batch("COMMIT")
    except DriverError as error:
        message = f"cannot distribute the tables: {explain(error)}"
        if not await rollback(connection) or "lock timeout" in message:
            raise TryAgain(message) from error
        raise MigrationError(message) from error
    except TryAgain:
        await rollback(connection)
        raise
    return tables


async def _pending(connection: "Connection") -> list[str]:
    pending = {name for (name,) in await _rows(connection, _PENDING)}
    return [table for table in _DISTRIBUTE if table in pending]


async def _rows(connection: "Connection", statement: str) -> list[tuple[object, ...]]:
    return (await connection.fetch(statement, prepared=False)).result(as_tuple=True)
