"""One try to connect to one address, from the TCP handshake to PostgreSQL's answer to the log-in.

The driver cannot stop a try: one that is given up goes on until the server answers or its socket
is shut. So it is kept: the next try at that address waits for it instead of beginning another one,
and a connection for which nobody waits is closed. The socket of a try that hangs in a pooler stays
open for a while: a paused pooler does not notice that its clients have left, and counts them all.
"""

import asyncio
import contextlib
import os
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace
from psqlpy import Connection, ConnectionPool, SslMode
from psqlpy.exceptions import Error as DriverError

from orders.store import sockets
from orders.store.addresses import Address
from orders.store.encryption import first_of

if TYPE_CHECKING:
    from orders.config import Database, Tls

DIRECT: Final = "orders.direct"
"""The start-up setting that PostgreSQL itself accepts and returns, and no pooler does."""

_LEAVE: Final = 1.0  # seconds that the driver has to take its leave before the socket is shut
_IN_A_POOLER: Final = 15.0
"""Seconds for which a try may hang in a pooler; PgBouncer itself waits for a log-in for 60."""

_BUNDLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")

os.environ.setdefault("TOKIO_WORKER_THREADS", "1")  # before the driver starts its runtime


class Opened(NamedTuple):
    """A connection of the driver, with the pool that was made only for it."""

    name: str
    address: Address
    connection: Connection
    pool: ConnectionPool
    mark: int

    @property
    def token(self) -> str:
        """The value of `orders.direct`, if it was set; no other connection has the same."""
        return _token(self.name)

    def close(self) -> None:
        """Drop the connection; a socket that a hung statement keeps open is shut a bit later."""
        self.connection.close()
        self.pool.close()
        with contextlib.suppress(RuntimeError):  # the loop has ended, and soon the process
            asyncio.get_running_loop().call_later(_LEAVE, _shut, self.mark)


class _Try:
    """A connect in progress."""

    def __init__(
        self, database: "Database", address: Address, tls: "Tls", name: str, options: str
    ) -> None:
        self._mark = sockets.take_mark()
        self._name = name
        self._address = address
        self._started = asyncio.get_running_loop().time()
        try:
            self._pool = _pool(database, address, tls, name, options, self._mark)
        except DriverError:  # the file of authorities is not one
            sockets.give_back(self._mark)
            raise
        self.task = asyncio.ensure_future(self._open())

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return asyncio.get_running_loop().time() - self._started

    def give_up(self) -> None:
        """Shut the socket; a connection that opens all the same is closed."""
        sockets.shut(self._mark)

    async def _open(self) -> Opened:
        try:
            connection = await self._pool.connection()
        except BaseException:
            self._pool.close()
            sockets.give_back(self._mark)
            raise
        return Opened(self._name, self._address, connection, self._pool, self._mark)


class Opener:
    """Opens connections, and keeps those that hang while they are opened."""

    def __init__(self, database: "Database") -> None:
        """Keep the database; callers check whether the server has the role it has to have."""
        self._database = replace(database, target_session_attrs="any")
        self._hung: defaultdict[tuple[Address, Tls, bool], list[_Try]] = defaultdict(list)

    async def open(
        self, address: Address, name: str, *, direct: bool = False, pooled: bool = False
    ) -> Opened:
        """Return a connection; if this is cancelled, shut its socket.

        Args:
            address: the server's.
            name: its `application_name`, unless an earlier try hangs there, which has its own.
            direct: whether to set `orders.direct`, to the connection's `token`.
            pooled: whether a pooler is known to answer there.

        Raises:
            DriverError: the server cannot be reached, or refuses.

        """
        return await first_of(
            self._database.attempts(address.host),
            partial(self._open, address, name, direct, pooled),
        )

    async def _open(
        self,
        address: Address,
        name: str,
        direct: bool,  # noqa: FBT001  bound by `partial`
        pooled: bool,  # noqa: FBT001  the same
        tls: "Tls",
    ) -> Opened:
        hung = self._hung[address, tls, direct]
        if hung:
            attempt = hung.pop()
        else:
            options = f"-c {DIRECT}={_token(name)}" if direct else ""
            attempt = _Try(self._database, address, tls, name, options)
        try:
            return await asyncio.shield(attempt.task)
        except asyncio.CancelledError:
            if not attempt.task.cancelled():
                hung.append(attempt)
                attempt.task.add_done_callback(lambda _: _close_late(hung, attempt))
                if not pooled or attempt.age > _IN_A_POOLER:
                    attempt.give_up()
            raise


def _close_late(hung: list[_Try], attempt: _Try) -> None:
    """Close the connection that a hung try has opened, unless somebody waits for it."""
    if attempt in hung:
        hung.remove(attempt)
        if not attempt.task.cancelled() and attempt.task.exception() is None:
            attempt.task.result().close()


def _pool(  # noqa: PLR0913  each is the driver's
    database: "Database", address: Address, tls: "Tls", name: str, options: str, mark: int
) -> ConnectionPool:
    """Make the pool of one connection, which connects when asked to."""
    with _own_bundle_alone() if tls.encrypted else contextlib.nullcontext():
        return ConnectionPool(
            dsn=database.dsn_of(*address, options=options),
            max_db_pool_size=2,  # the least there is
            application_name=name,
            connect_timeout_sec=database.connect_timeout,
            tcp_user_timeout_sec=mark // 1000,
            tcp_user_timeout_nanosec=mark % 1000 * 1_000_000,
            keepalives=True,
            keepalives_idle_sec=10,
            keepalives_interval_sec=5,
            keepalives_retries=3,
            # Asked to verify, the driver continues in the clear if the server has no TLS. Asked to
            # require TLS it does not, and verifies chain and host name whenever it has a file.
            ssl_mode=SslMode.Require if tls.encrypted else SslMode.Disable,
            ca_file=tls.root_cert,
        )


@contextlib.contextmanager
def _own_bundle_alone() -> Iterator[None]:
    """Hide the environment's trusted bundles from the driver; other code in the process uses them.

    The driver would read them for every pool, which takes milliseconds, and trust them beside its
    own file.
    """
    hidden = {name: os.environ.pop(name) for name in _BUNDLES if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _token(name: str) -> str:
    return name.replace(" ", "-")


def _shut(mark: int) -> None:
    sockets.shut(mark)
    sockets.give_back(mark)
