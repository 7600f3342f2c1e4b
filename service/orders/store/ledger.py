"""The table `orders_migrations`: what was applied, and how that compares with the files.

A file may not change after it was applied, because two databases at one version would then differ.
So its checksum is kept, and every run compares it. Versions beyond the files are no error: a
release has to run on the schema of the next release.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from orders import __version__
from orders.store.migration_sql import literal
from orders.store.migrations import Migration, MigrationError

if TYPE_CHECKING:
    from psqlpy import Connection

_CREATE: Final = """
CREATE TABLE IF NOT EXISTS orders_migrations (
    version integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    release text NOT NULL
)
"""
_EXISTS: Final = "SELECT to_regclass('orders_migrations') IS NOT NULL"
_SELECT: Final = """
SELECT version, name, checksum, applied_at, release FROM orders_migrations ORDER BY version
"""
_INSERT: Final = """
INSERT INTO orders_migrations (version, name, checksum, release) VALUES ({}, {}, {}, {})
"""

State = Literal["applied", "pending", "changed", "unknown"]


class Applied(NamedTuple):
    """One row; `release` is the version of this package that applied the file."""

    version: int
    name: str
    checksum: str
    applied_at: datetime
    release: str


class Entry(NamedTuple):
    """One line of the status: a file, a row, or both."""

    version: int
    name: str
    state: State
    applied_at: datetime | None


async def read(connection: "Connection") -> list[Applied]:
    """Return the rows in the order of their versions; none if there is no table.

    Call it outside a transaction only: inside one, a session may not yet see a table that another
    session has just made.
    """
    exists = (await connection.fetch(_EXISTS, prepared=False)).result(as_tuple=True)[0][0]
    return await _rows(connection) if exists else []


async def create_and_read(connection: "Connection") -> list[Applied]:
    """Make the table if it is missing, in the caller's transaction; return the rows as `read`."""
    await connection.execute_batch(_CREATE)
    return await _rows(connection)


async def record(connection: "Connection", migration: Migration) -> None:
    """Add the row of a file, in the caller's transaction."""
    texts = (migration.name, migration.checksum, __version__)
    await connection.execute_batch(_INSERT.format(migration.version, *map(literal, texts)))


async def _rows(connection: "Connection") -> list[Applied]:
    rows = (await connection.fetch(_SELECT, prepared=False)).result(as_tuple=True)
    return [Applied(*row) for row in rows]


def compare(files: Sequence[Migration], rows: Sequence[Applied]) -> list[Entry]:
    """Return what the status shows: every file and every row, in the order of their versions."""
    known = {row.version: row for row in rows}
    entries: list[Entry] = []
    for file in files:
        row = known.pop(file.version, None)
        if row is None:
            entries.append(Entry(file.version, file.name, "pending", None))
        else:
            state: State = "applied" if row.checksum == file.checksum else "changed"
            entries.append(Entry(file.version, file.name, state, row.applied_at))
    beyond = [Entry(row.version, row.name, "unknown", row.applied_at) for row in known.values()]
    return entries + beyond


def pending(
    files: Sequence[Migration], rows: Sequence[Applied], to: int | None = None
) -> list[Migration]:
    """Return the files still to apply, up to number `to`, in order.

    Raises:
        MigrationError: a file changed after it was applied, the rows have a gap, or the database
            is already beyond `to`.
    """
    for file, row in zip(files, rows, strict=False):
        if row.version == file.version and row.checksum != file.checksum:
            raise MigrationError(
                f"{file.file}: changed after it was applied: the database has the checksum"
                f" {row.checksum}, the file has {file.checksum}; nothing was done"
            )
    current = len(rows)
    if rows and rows[-1].version != current:
        raise MigrationError(
            f"orders_migrations has {current} rows, but the last is version {rows[-1].version}:"
            " rows were added or removed by hand; nothing was done"
        )
    if to is not None and to < current:
        raise MigrationError(
            f"the database is at version {current}: migrations only expand, so there is no"
            f" way back to {to}"
        )
    return list(files[current:to])
