"""A connection through a pooler, which may give every transaction another server connection.

So each statement is a transaction that makes its own settings, which end with it: nothing that is
set here reaches others, and nothing that others left behind reaches a statement of this service.
"""

from typing import Any, Final

from psqlpy.exceptions import Error as DriverError

from orders.store.messages import explain
from orders.store.opening import Opened
from orders.store.server_role import ServerRole
from orders.store.session import Row, Session, SessionLost
from orders.store.settings import BEGIN

_COMMIT: Final = "COMMIT"
_ROLLBACK: Final = "ROLLBACK"
_TRIES: Final = 3


class PooledSession(Session):
    """A session of which only a transaction has a server connection of its own."""

    def __init__(self, opened: Opened, role: ServerRole, *, prepared: bool) -> None:
        """Take a new connection; `prepared` if the pooler keeps prepared statements apart."""
        super().__init__(opened, role)
        self._prepared = prepared
        self._begin = ""
        self._broken_off = False

    async def fetch(self, sql: str, parameters: list[Any], *, prepared: bool = True) -> list[Row]:
        """Run one statement in a transaction of its own; raises what `Session.fetch` does."""
        if self._broken_off:
            raise SessionLost("a transaction was broken off")
        self._broken_off = True  # for good, if this is cancelled
        try:
            await self._begin_anew()
            result = await self._connection.fetch(
                sql, parameters, prepared=prepared and self._prepared
            )
            await self._connection.execute_batch(_COMMIT)
        except DriverError as error:
            try:
                await self._connection.execute_batch(_ROLLBACK)
            except DriverError:
                raise SessionLost(explain(error, detail=False)) from None
            self._broken_off = False
            raise await self._failure(error) from None
        self._broken_off = False
        return result.result(as_tuple=True)

    async def _begin_anew(self) -> None:
        """Begin a transaction.

        It is tried again if it is refused, as until its settings are made it has those that
        another client left behind, a `statement_timeout` of a millisecond perhaps.
        """
        for _ in range(_TRIES - 1):
            try:
                await self._connection.execute_batch(self._begin)
            except DriverError:
                await self._connection.execute_batch(_ROLLBACK)
            else:
                return
        await self._connection.execute_batch(self._begin)

    async def _make_settings(self, statement_timeout: int, lock_timeout: int) -> None:
        self._begin = BEGIN.format(statement_timeout, lock_timeout)
