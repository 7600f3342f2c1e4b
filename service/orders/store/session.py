"""One connection that stands: its settings are made and its statements prepared before it counts.

The driver never shows SQLSTATE, so after an error a ping tells a refused statement from a lost
connection. It can neither cancel a statement nor close a connection: `close` drops the connection
and the pool that it came from, and the socket goes once the server has answered.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from psqlpy.exceptions import Error as DriverError

from orders.store.messages import explain

if TYPE_CHECKING:
    from psqlpy import Connection, ConnectionPool

Statement = tuple[str, list[Any]]
Row = tuple[Any, ...]

_PING: Final = "SELECT current_setting('transaction_read_only') WHERE $1::int = 1"
_SETTINGS: Final = (
    "SELECT set_config('statement_timeout', $1::text, false),"
    # A 201 promises that the order outlives a crash, whatever the role or the database is set to.
    " set_config('synchronous_commit', coalesce(nullif("
    "current_setting('synchronous_commit'), 'off'), 'on'), false),"
    # Plans for arrays of any length: planning anew cost more than the index lookup itself.
    " set_config('plan_cache_mode', 'force_generic_plan', false),"
    # A table that was empty when the plan was made must not be read whole ever after.
    " set_config('enable_seqscan', 'off', false)"
)


class StatementRefused(Exception):
    """The connection stands, the database refused this statement."""

    name: Final = "statement-refused"


class SessionLost(Exception):
    """The connection is gone, or the server is no longer what it was; says why."""


class Session:
    """A connection to one server, on which one statement runs at a time."""

    def __init__(self, name: str, pool: "ConnectionPool", connection: "Connection") -> None:
        """Take a new connection, its `application_name`, and the pool made for it alone."""
        self.name = name
        self._pool = pool
        self._connection = connection
        self._read_only = ""

    async def set_up(self, statement_timeout: float, warm: Sequence[Statement]) -> None:
        """Make the settings and prepare statements.

        Args:
            statement_timeout: seconds after which the server ends a statement.
            warm: statements run once, so that they are prepared; what the server refuses of them
                (the schema is not there yet) is prepared when it is first used.

        Raises:
            DriverError: the connection does not stand.

        """
        await self._connection.fetch(_SETTINGS, [f"{statement_timeout * 1000:.0f}"])
        self._read_only = await self._ping()
        for sql, parameters in warm:
            try:
                await self._connection.fetch(sql, parameters)
            except DriverError:
                if not await self.stands():
                    raise
                break

    async def fetch(self, sql: str, parameters: list[Any]) -> list[Row]:
        """Run one constant statement with at least one parameter (others are prepared each time).

        Raises:
            SessionLost: the connection is gone, or the server turned read-only.
            StatementRefused: the connection stands; the message is the server's, without the row.

        """
        try:
            result = await self._connection.fetch(sql, parameters)
        except DriverError as error:
            why = explain(error, detail=False)
            if await self.stands():
                raise StatementRefused(why) from None  # the driver's own text has the row
            raise SessionLost(why) from None
        return result.result(as_tuple=True)

    async def stands(self) -> bool:
        """Whether the server answers, and is what it was."""
        try:
            return await self._ping() == self._read_only
        except DriverError:
            return False

    def close(self) -> None:
        """Drop the connection; closing its pool is the only way to close it."""
        self._connection.close()
        self._pool.close()

    async def _ping(self) -> str:
        rows = (await self._connection.fetch(_PING, [1])).result(as_tuple=True)
        return str(rows[0][0])
