"""Applies one migration under the advisory lock: all of it, or nothing.

One transaction takes the lock, adds the row, runs the file and commits. The lock belongs to the
transaction, not the session: it goes when the process dies, and holds through PgBouncer's
transaction mode. It is polled, never waited for: a waiting statement has a snapshot, for which
CREATE INDEX CONCURRENTLY would wait in turn. A file outside a transaction runs on a second
connection, while the first connection's transaction holds the lock.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, Final

from psqlpy.exceptions import Error as DriverError

from orders.store import ledger, pooler
from orders.store.driver_errors import explain
from orders.store.migration_sql import literal
from orders.store.migrations import Migration, MigrationError
from orders.store.rights import Rights

if TYPE_CHECKING:
    from psqlpy import Connection

LOCK_KEY: Final = 0x6F7264657273  # "orders"
LOCK_WAIT: Final = 60.0
"""The least number of seconds to wait while another run is at work."""

_RESET: Final = "RESET ALL"  # undoes what an earlier file may have SET
# READ COMMITTED, so that the transaction holds no snapshot between its statements. Not READ WRITE:
# a database that is fenced off by default_transaction_read_only must not be changed.
_BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
# No statement has a parameter, because the driver would then give it a name; so every pooler takes
# these. None of the role's own timeouts may end a long migration. The server checks each second
# whether the client is still there: a long statement must not keep the lock of a killed pod.
_LIMITS: Final = """
SELECT set_config('lock_timeout', '{lock}', {local}),
    set_config('statement_timeout', '0', {local}),
    set_config('idle_in_transaction_session_timeout', '0', {local}),
    (SELECT set_config(name, '0', {local}) FROM pg_settings WHERE name = 'transaction_timeout'),
    (SELECT set_config(name, '1000', {local})
     FROM pg_settings WHERE name = 'client_connection_check_interval')
"""
_TRY_LOCK: Final = f"SELECT pg_try_advisory_xact_lock({LOCK_KEY})"
_INDEX_IS_INVALID: Final = """
SELECT true FROM pg_index WHERE indexrelid = to_regclass({}) AND NOT indisvalid
"""

log = logging.getLogger("orders.migrate")


class TryAgain(Exception):
    """The obstacle may pass; `wait` is the least time to wait for that, in seconds."""

    def __init__(self, message: str, *, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


async def apply_next(
    connection: "Connection",
    connect: "Callable[[], Awaitable[Connection]]",
    files: Sequence[Migration],
    *,
    to: int | None,
    lock_timeout: float,
) -> Migration | None:
    """Apply the first file that is pending and return it, or None when none is.

    Args:
        connection: where the transaction runs; nobody else uses it meanwhile.
        connect: makes a second connection, for a file outside a transaction.
        files: all of them, in order.
        to: the last number to apply; None for all.
        lock_timeout: seconds a statement in the transaction waits for the lock of a table.

    Raises:
        TryAgain: another run has the lock, a table is locked, or the connection was lost.
        MigrationError: a file changed, the database is unfit, the role lacks a right, or the
            database refused a file; nothing of that file was applied.
    """
    file: Migration | None = None
    started = perf_counter()
    try:
        await connection.execute_batch(_RESET)
        rights = await Rights.of(connection)
        rights.check_read()
        if not ledger.pending(files, await ledger.read(connection), to):
            return None
        rights.check_create()
        await begin(connection, lock_timeout)
        # Read again: another run may have applied the file before this one got the lock.
        todo = ledger.pending(files, await ledger.create_and_read(connection), to)
        if todo:
            file = todo[0]
            await _apply(connection, connect, file)
        await connection.execute_batch("COMMIT")
    except DriverError as error:
        raise await _reason(connection, file, error) from error
    except (MigrationError, TryAgain):
        await rollback(connection)
        raise
    if file:
        log.info("%s applied in %.3f s", file.file, perf_counter() - started)
    return file


async def begin(connection: "Connection", lock_timeout: float) -> None:
    """Begin a transaction that holds the lock which all runs share.

    Raises:
        TryAgain: another run holds it.
        MigrationError: a pooler allows no transactions.
    """
    limits = _LIMITS.format(lock=round(lock_timeout * 1000), local="true")
    try:
        await connection.execute_batch(f"{_BEGIN};{limits}")
    except DriverError as error:
        if not pooler.refuses_transactions(error):
            raise
        raise MigrationError(pooler.NO_TRANSACTIONS) from error
    result = await connection.fetch(_TRY_LOCK, prepared=False)
    if not result.result(as_tuple=True)[0][0]:
        raise TryAgain("another run of `orders migrate` is at work", wait=LOCK_WAIT)


async def _apply(
    connection: "Connection", connect: "Callable[[], Awaitable[Connection]]", file: Migration
) -> None:
    if file.transactional:
        await ledger.record(connection, file)
        await connection.execute_batch(file.text)
        return
    # The last fetch left its portal open, and with it a snapshot that the worker would wait for.
    await connection.execute_batch("CLOSE ALL")
    worker = await connect()
    try:
        await _run_outside(worker, file)
    except DriverError as error:
        raise await _reason(worker, file, error) from error
    finally:
        worker.close()
    await ledger.record(connection, file)


async def _run_outside(worker: "Connection", file: Migration) -> None:
    """Run the one statement; rebuild an index that a failed run left invalid.

    There is no lock_timeout: such a statement makes no others queue, and has to wait for every
    older transaction.
    """
    await worker.fetch(_LIMITS.format(lock=0, local="false"), prepared=False)
    await _drop_invalid(worker, file)
    try:
        await worker.execute_batch(file.text)
    except DriverError:
        with suppress(DriverError):  # if this fails too, the next run does it
            await _drop_invalid(worker, file)
        raise


async def _drop_invalid(worker: "Connection", file: Migration) -> None:
    if file.builds is None:
        return
    result = await worker.fetch(_INDEX_IS_INVALID.format(literal(file.builds)), prepared=False)
    if result.result(as_tuple=True):
        log.warning("%s: dropping %s, an index whose build failed", file.file, file.builds)
        await worker.execute_batch(f"DROP INDEX CONCURRENTLY IF EXISTS {file.builds}")


async def rollback(connection: "Connection") -> bool:
    """Roll back; return whether the connection is up, which no error of the driver says."""
    try:
        await connection.execute_batch("ROLLBACK")
    except DriverError:
        return False
    return True


async def _reason(
    connection: "Connection", file: Migration | None, error: DriverError
) -> MigrationError | TryAgain:
    """Roll back, and return what an error of the driver means for the run."""
    message = explain(error)
    if file is None:
        await rollback(connection)
        return TryAgain(f"cannot begin to migrate: {message}")
    if not await rollback(connection):
        return TryAgain(f"{file.file}: the connection was lost: {message}; run it again")
    if file.transactional:
        message = f"{message}; nothing of {file.file} was applied"
    # Without SQLSTATE only the text tells; a server in another language fails without a retry.
    if "lock timeout" in message or "deadlock detected" in message:
        return TryAgain(f"{file.file}: {message}")
    return MigrationError(f"{file.file}: {message}")
