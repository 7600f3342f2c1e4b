"""A few more connections, for the statements of endpoints, which do not use the lanes.

They are opened for the first statement, so a service without such endpoints has none of them. A
connection that does not answer in time, or whose transaction is cut short, is replaced.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from orders.batch import ConnectionLost
from orders.errors import DatabaseUnavailable, Problem
from orders.store.refusals import Cause, is_outdated, problem_of
from orders.store.session import Row, Run, StatementRefused

if TYPE_CHECKING:
    from orders.store.connections import HeldConnection
    from orders.telemetry.metrics import Metrics

SIZE: Final = 2
"""Connections."""
OPERATION: Final = "endpoint"
"""What metrics call a statement, or a transaction, of an endpoint."""

log = logging.getLogger("orders.store")


class Pool:
    """Lends each connection to one task at a time."""

    def __init__(self, make: "Callable[[], HeldConnection]", metrics: "Metrics") -> None:
        """Start without a connection; `make` makes one that is still to be opened."""
        self._make = make
        self._metrics = metrics
        self._idle: asyncio.Queue[HeldConnection] = asyncio.Queue()
        self.connections: list[HeldConnection] = []

    async def run(self, sql: str, parameters: list[Any]) -> list[Row]:
        """Run one statement, a transaction of its own; raises a problem."""
        async with self._lent() as connection:
            # Without parameters it would be prepared anew each time, and kept.
            return await connection.fetch(sql, parameters, prepared=bool(parameters))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Run]:
        """Yield a function that runs statements in one transaction; raises a problem."""
        async with self._lent() as connection, connection.transaction() as run:
            yield run

    @asynccontextmanager
    async def _lent(self) -> "AsyncIterator[HeldConnection]":
        if not self.connections:
            self.connections += [self._make() for _ in range(SIZE)]
            for connection in self.connections:
                connection.open()
                self._idle.put_nowait(connection)
        connection = await self._idle.get()
        started, error = perf_counter(), None
        try:
            await self._stands(connection)
            started = perf_counter()
            yield connection
        except ConnectionLost as lost:
            error = lost.name
            raise DatabaseUnavailable("the connection to the database was lost") from None
        except StatementRefused as refused:
            error = refused.name
            raise self._problem(connection, refused) from None
        except asyncio.CancelledError:
            error = "timeout"
            connection.abandon("a statement of an endpoint was not answered in time")
            raise
        finally:
            self._idle.put_nowait(connection)
            self._metrics.batch(OPERATION, 1, perf_counter() - started, error)

    async def _stands(self, connection: "HeldConnection") -> None:
        try:
            await connection.ready()
        except asyncio.CancelledError:
            if (since := connection.down_since) is not None:
                now = asyncio.get_running_loop().time()
                raise DatabaseUnavailable.away(now - since) from None
            raise

    def _problem(self, connection: "HeldConnection", refused: StatementRefused) -> Problem:
        if is_outdated(refused):
            connection.renew_plans()
            return DatabaseUnavailable("the table was changed meanwhile")
        log.error("the database refused a statement of an endpoint: %s", refused)
        return problem_of(Cause.ROWS, refused)
