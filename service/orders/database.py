"""The database as an endpoint of a team's own sees it: statements with parameters, in time.

    rows = await database.fetch("SELECT reason FROM cancellations WHERE order_id = $1::uuid", id)

Each statement is a transaction of its own; `transaction` makes several one. Whatever is asked ends
with the request's deadline (`REQUEST_TIMEOUT` after it began), and what fails is a problem that
the caller is told. Statements are constants: a value is always a parameter, and a parameter has a
type (`$1::text`), as psqlpy sends it as what PostgreSQL expects.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from orders.errors import DeadlineExceeded

Row = tuple[Any, ...]


class Pool(Protocol):
    """Connections; what fails is a problem."""

    async def run(self, sql: str, parameters: list[Any]) -> list[Row]:
        """Run one statement, a transaction of its own."""

    def transaction(
        self,
    ) -> "AbstractAsyncContextManager[Callable[[str, list[Any]], Any]]":
        """Yield what runs statements of one transaction, which is committed at the end."""


class Statements:
    """Runs statements; of one transaction, or each in one of its own."""

    def __init__(self, run: Callable[[str, list[Any]], Any]) -> None:
        """Keep what runs one."""
        self._run = run

    async def fetch(self, sql: str, *parameters: Any) -> list[Row]:
        """Return the rows of a statement, as tuples in the order of its columns.

        Raises:
            DeadlineExceeded: it was not answered in time; what it changes may be done or not.
            DatabaseUnavailable: there is no connection, or it was lost: the same.
            Internal: the database refused it; the log says why.

        """
        rows: list[Row] = await self._run(sql, list(parameters))
        return rows

    async def execute(self, sql: str, *parameters: Any) -> None:
        """Run a statement that has no rows; raises what `fetch` does.

        Which rows it changed, `fetch` and RETURNING say.
        """
        await self._run(sql, list(parameters))


class Database(Statements):
    """What an endpoint gets for an argument of this type."""

    def __init__(self, pool: Pool, deadline: Callable[[], float]) -> None:
        """Take connections, and what says at which loop time the running request is over."""
        super().__init__(self._alone)
        self._pool = pool
        self._deadline = deadline

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Statements]:
        """Yield what runs statements in one transaction.

        It is committed at the end of the block, and rolled back by whatever is raised there.
        Raises what `fetch` does.
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
