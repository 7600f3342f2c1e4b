"""Finds out from the database why it refused a statement, because the driver shows no SQLSTATE.

A connection prepares its statements with parameters that change nothing. So if one of these is
refused as well, the rows that were sent are not the cause.
"""

import logging
import time
from collections.abc import Awaitable, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from orders.errors import DatabaseUnavailable, Internal, Problem
from orders.store import statements
from orders.store.session import Statement, StatementRefused

if TYPE_CHECKING:
    from orders.store.connections import HeldConnection

_INTERVAL: Final = 1.0
# A server in another language has other texts: an outdated plan is then found by asking, and a
# passing failure is answered with 500 instead of 503; nothing else depends on these texts.
_OUTDATED: Final = "cached plan must not change result type"
_PASSES: Final = (
    "No space left on device",
    "could not serialize access",
    "deadlock detected",
    "canceling statement due to",
    "out of shared memory",
)

log = logging.getLogger("orders.store")


class Cause(Enum):
    """What caused a refusal."""

    PLAN = auto()
    """The connection's prepared statement no longer fits the tables."""
    DATABASE = auto()
    """The database refuses every such statement: a privilege, a lock, a table that is gone."""
    RACE = auto()
    """Perhaps another transaction: at the current isolation level it may make a statement fail."""
    ROWS = auto()
    """The rows that were sent."""


async def find_cause(
    connection: "HeldConnection", warm_up: Sequence[Statement], refusal: StatementRefused
) -> Cause:
    """Ask the database, on the connection on which the statement was refused.

    Behind a pooler another server connection may answer, whose plans fit. So the message counts
    too; if neither tells, the plans are doubted once in a while, and the next try shows the truth.

    Args:
        connection: the connection on which the statement was refused.
        warm_up: the lane's statements, with parameters that change nothing.
        refusal: the database's message.

    """
    if is_outdated(refusal):
        return Cause.PLAN
    for text, parameters in warm_up:
        if await _is_refused(connection.fetch(text, parameters)):
            refused_anew = await _is_refused(connection.fetch(text, parameters, prepared=False))
            return Cause.DATABASE if refused_anew else Cause.PLAN
    if connection.shares_backends and connection.doubt_plans():
        return Cause.PLAN
    [(isolation,)] = await connection.fetch(statements.ISOLATION, [1])
    return Cause.ROWS if isolation == "read committed" else Cause.RACE


def is_outdated(refusal: StatementRefused) -> bool:
    """Whether the connection's plan of a statement no longer fits the tables."""
    return _OUTDATED in str(refusal)


def problem_of(cause: Cause, refusal: StatementRefused) -> Problem:
    """Return the problem for the caller: to try again, or that this will not help."""
    if cause is Cause.DATABASE or any(text in str(refusal) for text in _PASSES):
        return DatabaseUnavailable("the database refused the statement; the log says why")
    return Internal()


class RefusalLog:
    """Logs at most one refusal a second, with the number of those since the last one."""

    def __init__(self) -> None:
        self._next = 0.0
        self._untold = 0

    def tell(self, why: str, items: int) -> None:
        """Log why `items` items of a batch were refused."""
        now = time.monotonic()
        if now < self._next:
            self._untold += items
            return
        since = f"; {self._untold} more since the last such message" if self._untold else ""
        log.error("the database refused requests (%d): %s%s", items, why, since)
        self._next = now + _INTERVAL
        self._untold = 0


async def _is_refused(statement: Awaitable[object]) -> bool:
    try:
        await statement
    except StatementRefused:
        return True
    return False
