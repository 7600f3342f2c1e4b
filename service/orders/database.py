"""The database as a team's own endpoint sees it: statements with parameters and a deadline.

    rows = await database.fetch("SELECT reason FROM cancellations WHERE order_id = $1::uuid", id)

Each statement is a transaction of its own; `transaction` joins several into one. Every call ends
by the request's deadline (`REQUEST_TIMEOUT` after it began), and a failure is a problem that the
caller is told. Statements are constants: a value is always a parameter, and a parameter has a type
(`$1::text`), because psqlpy sends it as the type that PostgreSQL expects.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from orders.errors import DeadlineExceeded

Row = tuple[Any, ...]


class Pool(Protocol):
    """Connections; a failure raises a problem."""

    async def run(self, sql: str, parameters: list[Any]) -> list[Row]:
        """Run one statement, a transaction of its own."""

    def transaction(
        self,
    ) -> "AbstractAsyncContextManager[Callable[[str, list[Any]], Any]]":
        """Yield a function that runs statements in one transaction, committed at the end."""


class Statements:
    """Runs statements, all in one transaction or each in its own."""

    def __init__(self, run: Callable[[str, list[Any]], Any]) -> None:
        self._run = run

    async def fetch(self, sql: str, *parameters: Any) -> list[Row]:
        """Return the rows of a statement, as tuples in the order of its columns.

        Raises:
            DeadlineExceeded: no answer came in time; its changes may or may not be made.
            DatabaseUnavailable: there is no connection, or it was lost, with the same doubt.
            Internal: the database refused it; the log says why.

        """
        rows: list[Row] = await self._run(sql, list(parameters))
        return rows

    async def execute(self, sql: str, *parameters: Any) -> None:
        """Run a statement that returns no rows; raises what `fetch` does.

        To learn which rows it changed, use `fetch` with RETURNING.
        """
        await self._run(sql, list(parameters))


class Database(Statements):
    """The database, passed to an endpoint for an argument of this type."""

    def __init__(self, pool: Pool, deadline: Callable[[], float]) -> None:
        """Take connections, and what returns the running request's deadline as a loop time."""
        super().__init__(self._alone)
        self._pool = pool
        self._deadline = deadline

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Statements]:
        """Yield an object that runs statements in one transaction.

        The end of the block commits it; an exception in the block rolls it back. Raises what
        `fetch` does.
        """
        async with self._in_time(), self._pool.transaction() as run:
            yield Statements(run)

    async def _alone(self, sql: str, parameters: list[Any]) -> list[Row]:
        async with self._in_time():
            return await self._pool.run(sql, parameters)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(self._deadline()):
                yield
        except TimeoutError:
            raise DeadlineExceeded from None
