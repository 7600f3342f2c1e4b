"""Connections that are held for good, and replaced when they die.

psqlpy's pool hops threads for every acquire, has no time-out, and can hand out a connection that
died. So each connection here is taken once, from a pool of its own (closing the pool is the only
way to close it), its statements are prepared before it counts, and its loss is noticed by asking:
the driver never shows SQLSTATE, so after an error a ping tells a refused statement from a lost
connection.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final

os.environ.setdefault("TOKIO_WORKER_THREADS", "1")  # before the driver starts its runtime

from psqlpy import Connection, ConnectionPool, SslMode
from psqlpy.exceptions import Error as DriverError

from orders.coalesce import ConnectionLost
from orders.store.messages import Outage, explain

if TYPE_CHECKING:
    from orders.config import Database

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
# Asked to verify, the driver goes on in the clear when the server has no TLS; asked to require it,
# it does not, and it verifies chain and host name whenever it has a CA file. It cannot prefer TLS
# without one.
_SSL_MODES: Final = {
    None: SslMode.Prefer,
    "disable": SslMode.Disable,
    "allow": SslMode.Prefer,
    "prefer": SslMode.Prefer,
    "require": SslMode.Require,
    "verify-ca": SslMode.Require,
    "verify-full": SslMode.Require,
}
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0

log = logging.getLogger("orders.store")


class StatementRefused(Exception):
    """The connection stands, the database refused this statement."""

    name: Final = "statement-refused"


def open_pool(database: "Database", size: int) -> ConnectionPool:
    """Make a pool; it connects when a connection is asked for."""
    return ConnectionPool(
        dsn=database.dsn,
        max_db_pool_size=max(2, size),
        application_name="orders",
        connect_timeout_sec=database.connect_timeout,
        tcp_user_timeout_sec=10,
        keepalives=True,
        keepalives_idle_sec=10,
        keepalives_interval_sec=5,
        keepalives_retries=3,
        ssl_mode=_SSL_MODES[database.ssl_mode],
        ca_file=database.ssl_root_cert,
    )


class HeldConnection:
    """One connection, connected in the background for as long as it takes."""

    def __init__(
        self,
        database: "Database",
        *,
        statement_timeout: float,
        warm: Sequence[Statement] = (),
        on_lost: Callable[[], None] = lambda: None,
        outage: Outage | None = None,
    ) -> None:
        """Keep what is needed to connect; `open` starts.

        Args:
            database: where.
            statement_timeout: seconds after which the server ends a statement.
            warm: statements run once on each new connection, so that they are prepared.
            on_lost: called when the connection was lost.
            outage: what tells that it cannot connect, shared with other connections.

        """
        self._database = database
        self._statement_timeout = f"{statement_timeout * 1000:.0f}"
        self._warm = warm
        self._on_lost = on_lost
        self._outage = outage or Outage(database.where)
        self._loop = asyncio.get_running_loop()
        self._pool: ConnectionPool | None = None
        self._connection: Connection | None = None
        self._read_only = ""
        self._up = asyncio.Event()
        self._connecting: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._pause = 0.0
        self._busy = False
        self.down_since: float | None = self._loop.time()

    @property
    def state(self) -> str:
        """What the connections-by-state metric calls it: `connecting`, `used` or `idle`."""
        if self._connection is None:
            return "connecting"
        return "used" if self._busy else "idle"

    def open(self) -> None:
        """Start to connect; returns at once."""
        if self._connecting is None:
            self._connecting = self._loop.create_task(self._connect(), context=Context())

    async def ready(self) -> None:
        """Return when the connection stands."""
        await self._up.wait()

    async def fetch(self, sql: str, parameters: list[Any]) -> list[Row]:
        """Run one constant statement with at least one parameter (others are prepared each time).

        Raises:
            ConnectionLost: the connection is gone, or the server turned read-only.
            StatementRefused: the connection stands; the message is the server's, without the row.

        """
        connection = self._connection
        if connection is None:
            raise ConnectionLost
        self._busy = True
        try:
            result = await connection.fetch(sql, parameters)
        except DriverError as error:
            why = explain(error, detail=False)
            if await self._stands(connection):
                raise StatementRefused(why) from None  # the driver's own text has the row
            self.abandon(why)
            raise ConnectionLost from None
        finally:
            self._busy = False
        self._pause = 0.0
        return result.result(as_tuple=True)

    def abandon(self, why: str = "a statement hung") -> None:
        """Close the connection and connect anew in the background."""
        if self._pool is not None and self._connection is not None:
            log.warning("connection lost: %s", why)
            self._drop()
            self._up.clear()
            self.down_since = self._loop.time()
            self.open()
            self._on_lost()

    def check(self) -> None:
        """Find out in the background whether an idle connection still stands."""
        if self.state == "idle" and self._checking is None:
            self._checking = self._loop.create_task(self._check(), context=Context())

    async def close(self) -> None:
        """Stop connecting and close."""
        tasks = [task for task in (self._connecting, self._checking) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._connecting = self._checking = None
        self._drop()
        self._up.clear()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        pool, self._pool = self._pool, None
        if connection is not None:
            connection.close()
        if pool is not None:
            pool.close()

    async def _check(self) -> None:
        connection = self._connection
        try:
            stands = connection is None or await self._stands(connection)
        finally:
            self._checking = None
        if not stands and connection is self._connection:
            self.abandon("another one was lost, and this one with it")

    async def _stands(self, connection: Connection) -> bool:
        try:
            rows = (await connection.fetch(_PING, [1])).result(as_tuple=True)
        except DriverError:
            return False
        return bool(rows[0][0] == self._read_only)

    async def _connect(self) -> None:
        """Try until it stands; the pause doubles, and is forgotten once a statement worked."""
        while self._connection is None:
            if self._pause:
                await asyncio.sleep(self._pause)
            self._pause = min(max(_FIRST_PAUSE, self._pause * 2), _LONGEST_PAUSE)
            try:
                await self._connect_once()
            except Exception as error:  # noqa: BLE001  nobody else would ever connect again
                self._drop()
                self._outage.failed(self, explain(error, detail=False))
        self.down_since = None
        self._connecting = None
        self._up.set()
        self._outage.connected(self)

    async def _connect_once(self) -> None:
        pool = self._pool = open_pool(self._database, 1)
        async with asyncio.timeout(self._database.connect_timeout + 1):
            connection = await pool.connection()
            await connection.fetch(_SETTINGS, [self._statement_timeout])
            rows = (await connection.fetch(_PING, [1])).result(as_tuple=True)
            self._read_only = rows[0][0]
            for sql, parameters in self._warm:
                try:
                    await connection.fetch(sql, parameters)
                except DriverError as error:
                    if not await self._stands(connection):
                        raise
                    log.debug("cannot prepare yet: %s", error)  # the schema is not there yet
                    break
        self._connection = connection
