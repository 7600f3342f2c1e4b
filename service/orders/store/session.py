"""One connection in use: its settings are made and its statements prepared before it counts.

The driver never shows SQLSTATE, so after an error a ping tells a refused statement from a lost
connection. The driver can neither cancel a statement nor close a connection: `close` drops the
connection and its pool, and shuts the socket a little later.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from psqlpy.exceptions import Error as DriverError

from orders.store.driver_errors import explain
from orders.store.opening import Opened
from orders.store.server_role import ServerRole
from orders.store.settings import OF_A_SESSION

if TYPE_CHECKING:
    from psqlpy import QueryResult

Statement = tuple[str, list[Any]]
Row = tuple[Any, ...]
Run = Callable[[str, list[Any]], Awaitable[list[Row]]]
"""Runs a statement with parameters."""

_BEGIN: Final = "BEGIN"
_COMMIT: Final = "COMMIT"
_ROLLBACK: Final = "ROLLBACK"


# A backend that waits for a lock outlives its connection if that is given up meanwhile.
_WARM_LOCK_TIMEOUT: Final = 250  # ms


class StatementRefused(Exception):
    """The database refused this statement; the connection is up."""

    name: Final = "statement-refused"


class SessionLost(Exception):
    """The connection is gone, or the server has changed its role; the message says why."""


class Session:
    """A connection to one server, on which one statement runs at a time."""

    shares_backends = False
    """Whether a pooler gives the backend of a statement to others once the statement is over."""
    plans = 0
    """How often statements were planned anew before this session, if plans outlive a session."""

    def __init__(self, opened: Opened, role: ServerRole) -> None:
        """Take a new connection, and the role that its server has to have."""
        self.name = opened.name
        """Its `application_name`, which no other connection has."""
        self.address = opened.address
        """Where the server is."""
        self.host = str(opened.address)
        """The address as people read it: host, port, and the IP address of the host."""
        self._opened = opened
        self._connection = opened.connection
        self._role = role

    async def set_up(
        self,
        statement_timeout: float,
        warm: Sequence[Statement],
        on_answer: Callable[[], None] = lambda: None,
    ) -> None:
        """Make the settings and prepare statements.

        Args:
            statement_timeout: seconds after which the server ends a statement.
            warm: statements run once, so that they are prepared; after one that the server refuses
                (there is no schema yet, a table is locked), the rest are prepared at first use.
            on_answer: called whenever the server has answered.

        Raises:
            DriverError: the connection is not up.
            SessionLost: the same, or its server has changed its role.

        """
        milliseconds = round(statement_timeout * 1000)
        await self._make_settings(milliseconds, _WARM_LOCK_TIMEOUT if warm else 0)
        for sql, parameters in warm:
            on_answer()
            try:
                await self.fetch(sql, parameters)
            except StatementRefused:
                break
        if warm:
            await self._make_settings(milliseconds, 0)

    async def fetch(self, sql: str, parameters: list[Any], *, prepared: bool = True) -> list[Row]:
        """Run one constant statement with at least one parameter (others are prepared each time).

        Args:
            sql: the statement.
            parameters: its values.
            prepared: False has it parsed and planned anew.

        Raises:
            SessionLost: the connection is gone, or the server turned read-only.
            StatementRefused: the connection is up; the message is the server's, without the row.

        """
        try:
            result = await self._connection.fetch(sql, parameters, prepared=prepared)
        except DriverError as error:
            raise await self._failure(error) from None  # the driver's own text contains the row
        return result.result(as_tuple=True)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Run]:
        """Yield a function that runs statements in one transaction: an error rolls it back.

        Raises:
            SessionLost: the connection is gone; at the commit, it may or may not have happened.
            StatementRefused: a statement or the commit was refused, so nothing was done.

        """
        refused: StatementRefused | SessionLost | None = None

        async def run(sql: str, parameters: list[Any]) -> list[Row]:
            nonlocal refused
            if refused is not None:
                raise refused
            try:
                result = await self._statement(sql, parameters)
            except DriverError as error:
                refused = await self._rolled_back(error)
                raise refused from None
            return result.result(as_tuple=True)

        try:
            await self._begin_transaction()
            yield run
            if refused is not None:  # a COMMIT after a refusal would be a silent ROLLBACK
                raise refused  # noqa: TRY301  as the statement did
            await self._end_transaction(_COMMIT)
        except DriverError as error:
            raise await self._rolled_back(error) from None
        except (SessionLost, StatementRefused):
            raise
        except Exception:
            if refused is None:
                await self._rolled_back()
            raise

    async def _begin_transaction(self) -> None:
        await self._connection.execute_batch(_BEGIN)

    async def _statement(self, sql: str, parameters: list[Any]) -> "QueryResult":
        """Run a statement of a transaction; prepared without parameters, it would pile up."""
        return await self._connection.fetch(sql, parameters, prepared=bool(parameters))

    async def _end_transaction(self, how: str) -> None:
        await self._connection.execute_batch(how)

    async def _rolled_back(
        self, error: DriverError | None = None
    ) -> "StatementRefused | SessionLost":
        """Roll back; return the exception that an error of the driver stands for."""
        try:
            await self._end_transaction(_ROLLBACK)
        except DriverError as lost:
            return SessionLost(explain(error or lost, detail=False))
        return SessionLost("rolled back") if error is None else await self._failure(error)

    async def stands(self) -> bool:
        """Whether the server answers, and still has the role it has to have."""
        try:
            return await self._role.is_kept(self._connection)
        except DriverError:
            return False

    def close(self) -> None:
        """Drop the connection."""
        self._opened.close()

    async def _failure(self, error: DriverError) -> StatementRefused | SessionLost:
        """Return the exception that an error of the driver stands for."""
        why = explain(error, detail=False)
        return StatementRefused(why) if await self.stands() else SessionLost(why)

    async def _make_settings(self, statement_timeout: int, lock_timeout: int) -> None:
        settings = OF_A_SESSION.format(statement_timeout, lock_timeout)
        await self._connection.fetch(settings, prepared=False)
