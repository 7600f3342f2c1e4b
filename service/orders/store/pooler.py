"""Finds out what stands between this process and PostgreSQL, before the first batch is sent.

PostgreSQL itself accepts `orders.direct` at start-up and returns it. A pooler such as PgBouncer
refuses it or drops it. No pooler tells its mode, so what it allows is tried:

- In statement mode a transaction cannot begin.
- A pooler that keeps prepared statements apart gives them names of its own. Behind one that does
  not, two processes would run each other's statements, because the driver names them s0, s1 in
  each process.
- In session mode each client keeps a server connection that no other client has, and it is reset
  once the client has left. Only all of that together is proof, because mistaking another mode for
  this one gives wrong answers. Without proof a statement is prepared and dropped in its own
  transaction, which is right in every mode.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from psqlpy.exceptions import Error as DriverError

from orders.store.opening import DIRECT, Opened

if TYPE_CHECKING:
    from psqlpy import Connection

NO_TRANSACTIONS: Final = (
    "a pooler in statement mode has no transactions; use transaction or session mode"
)

_PROBE: Final = "SELECT 'orders: does a pooler rename this?' WHERE $1::int = 1"
_NAMES: Final = (
    "SELECT name FROM pg_prepared_statements"
    " WHERE statement LIKE 'SELECT ''orders: does a pooler rename this%'"
)
_BACKEND: Final = "SELECT pg_backend_pid()"
_OF_THE_DRIVER: Final = re.compile("s[0-9]+").fullmatch
_LAST_QUERY: Final = "SELECT query FROM pg_stat_activity WHERE pid = {}"
_ROUNDS: Final = 5
_SECOND_LIMIT: Final = 1.0
_RESET: Final = "DISCARD ALL"
_RESET_LIMIT: Final = 0.5
_POLL: Final = 0.02


class UnfitPooler(DriverError):
    """A pooler behind which no answer would be safe; the message says what to change."""


class Kind(Enum):
    """How to send statements."""

    OWN = "as to PostgreSQL itself"
    TRANSACTIONS = "in transactions"
    UNPREPARED = "in transactions, prepared anew in each"


async def is_direct(opened: Opened) -> bool:
    """Whether PostgreSQL itself answers: it returns the value that this connection set."""
    [(found,)] = await _rows(opened.connection, f"SELECT current_setting('{DIRECT}', true)")
    return bool(found == opened.token)


def refuses_options(error: DriverError) -> bool:
    """Whether a connect failed because a pooler does not know the option."""
    text = str(error)
    return "startup parameter" in text or DIRECT in text


def refuses_transactions(error: DriverError) -> bool:
    """Whether a transaction could not begin because a pooler pools single statements."""
    return "transaction" in str(error)


async def judge(opened: Opened, another: Callable[[], Awaitable[Opened]]) -> Kind:
    """Find out how a pooler allows statements to be sent.

    Args:
        opened: a connection through it.
        another: opens a second one, which is closed before this returns.

    Raises:
        UnfitPooler: it is in statement mode, or mixes up prepared statements.
        DriverError: the connection is lost.

    """
    try:
        await opened.connection.execute_batch("BEGIN")
    except DriverError as error:
        if not refuses_transactions(error):
            raise
        raise UnfitPooler(NO_TRANSACTIONS) from error
    if await _renames(opened.connection):
        return Kind.TRANSACTIONS
    try:
        async with asyncio.timeout(_SECOND_LIMIT):
            other = await another()
            try:
                pid = await _pinned(opened.connection, other.connection)
            finally:
                other.close()
    except TimeoutError:  # it has no connection left for the second client
        return Kind.UNPREPARED
    if pid is None:
        raise UnfitPooler(
            "a pooler in transaction mode mixes up prepared statements; use PgBouncer 1.21 or"
            " newer with max_prepared_statements above 0, or session mode"
        )
    return Kind.OWN if await _is_reset(opened.connection, pid) else Kind.UNPREPARED


async def _renames(connection: "Connection") -> bool:
    """Whether the pooler renames a prepared statement; ends the transaction."""
    await connection.fetch(_PROBE, [1])
    names = [name for (name,) in await _rows(connection, _NAMES)]
    own = [name for name in names if _OF_THE_DRIVER(name)]
    # Another client may get this server connection, and prepare a statement of that name.
    await connection.execute_batch(
        "; ".join([*(f'DEALLOCATE "{name}"' for name in own), "COMMIT"])
    )
    return bool(names) and not own


async def _pinned(one: "Connection", other: "Connection") -> int | None:
    """Return the pid that serves `other`, or None if either one's changes or both share one."""
    pairs = set()
    for _ in range(_ROUNDS):
        [(first,)], [(second,)] = await _rows(one, _BACKEND), await _rows(other, _BACKEND)
        pairs.add((first, second))
    [*found] = pairs
    first, second = found[0]
    return int(second) if len(found) == 1 and first != second else None


async def _is_reset(connection: "Connection", pid: int) -> bool:
    """Whether the server connection of a client that has left is reset in time."""
    now = asyncio.get_running_loop().time
    deadline = now() + _RESET_LIMIT
    while await _rows(connection, _LAST_QUERY.format(pid)) != [(_RESET,)]:
        if now() > deadline:
            return False
        await asyncio.sleep(_POLL)
    return True


async def _rows(connection: "Connection", sql: str) -> list[tuple[Any, ...]]:
    """Run a statement without a parameter or a name, which every pooler can pass on."""
    return (await connection.fetch(sql, prepared=False)).result(as_tuple=True)
