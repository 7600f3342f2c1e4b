"""A connection through a pooler, which may give every transaction another server connection.

So each statement is a transaction that makes its own settings, which end with it: no setting from
here reaches other clients, and none that they left behind reaches a statement of this service.

A pooler that keeps prepared statements apart knows them by their text, and keeps them longer than
a session. So a comment that changes the text gets rid of a plan that is out of date.
"""

import re
from typing import TYPE_CHECKING, Any, Final

from psqlpy.exceptions import Error as DriverError

from orders.store.driver_errors import explain
from orders.store.opening import Opened
from orders.store.server_role import ServerRole
from orders.store.session import Row, Session, SessionLost
from orders.store.settings import BEGIN

if TYPE_CHECKING:
    from psqlpy import QueryResult

_COMMIT: Final = "COMMIT"
_ROLLBACK: Final = "ROLLBACK"
_TRIES: Final = 3
_PARAMETER: Final = re.compile(r"\$([0-9]+)")


class PooledSession(Session):
    """A session that has a server connection of its own only during a transaction."""

    shares_backends = True

    def __init__(
        self, opened: Opened, role: ServerRole, *, prepared: bool, plans: int = 0
    ) -> None:
        """Take a new connection.

        Args:
            opened: the connection.
            role: the role that its server has to have.
            prepared: whether the pooler keeps prepared statements apart.
            plans: a different number has all statements planned anew.

        """
        super().__init__(opened, role)
        self.plans = plans
        self._prepared = prepared
        self._begin = ""
        self._broken_off = False

    async def fetch(self, sql: str, parameters: list[Any], *, prepared: bool = True) -> list[Row]:
        """Run one statement in a transaction of its own; raises what `Session.fetch` does.

        A statement that is not prepared has harmless parameters: numbers, texts, empty lists.
        """
        if self._broken_off:
            raise SessionLost("a transaction was interrupted")
        self._broken_off = True  # for good, if this is cancelled
        try:
            await self._begin_anew()
            result = await self._run(sql, parameters, prepared=prepared)
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

    async def _begin_transaction(self) -> None:
        if self._broken_off:
            raise SessionLost("a transaction was broken off")
        self._broken_off = True  # for good, if this is cancelled
        await self._begin_anew()

    async def _statement(self, sql: str, parameters: list[Any]) -> "QueryResult":
        return await self._run(sql, parameters, prepared=bool(parameters))

    async def _end_transaction(self, how: str) -> None:
        await super()._end_transaction(how)
        self._broken_off = False

    async def _run(self, sql: str, parameters: list[Any], *, prepared: bool) -> "QueryResult":
        if prepared and self.plans:
            sql = f"{sql} /* {self.plans} */"
        if not prepared and self._prepared:
            # With parameters the driver would name it, and use that name in SQL.
            return await self._connection.fetch(_inlined(sql, parameters), prepared=False)
        return await self._connection.fetch(sql, parameters, prepared=self._prepared)

    async def _begin_anew(self) -> None:
        """Begin a transaction.

        If that is refused it is tried again: until its own settings are made, it has those that
        another client left behind, perhaps a `statement_timeout` of a millisecond.
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


def _inlined(sql: str, parameters: list[Any]) -> str:
    """Return a statement with its values in its text, each as a literal that is cast there."""

    def literal(match: re.Match[str]) -> str:
        value = parameters[int(match[1]) - 1]
        text = "{}" if value == [] else str(value)
        return "'" + text.replace("'", "''") + "'"

    return _PARAMETER.sub(literal, sql)
