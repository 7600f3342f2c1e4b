"""Makes connections: where to, how it is encrypted, and how long that may take."""

import asyncio
import itertools
import os
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from psqlpy import ConnectionPool, SslMode

from orders.store.session import Session, Statement

if TYPE_CHECKING:
    from orders.config import Database

os.environ.setdefault("TOKIO_WORKER_THREADS", "1")  # before the driver starts its runtime

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


def open_pool(database: "Database", size: int, name: str = "orders") -> ConnectionPool:
    """Make a pool whose connections have this `application_name`; it connects when asked to."""
    return ConnectionPool(
        dsn=database.dsn,
        max_db_pool_size=max(2, size),
        application_name=name,
        connect_timeout_sec=database.connect_timeout,
        tcp_user_timeout_sec=10,
        keepalives=True,
        keepalives_idle_sec=10,
        keepalives_interval_sec=5,
        keepalives_retries=3,
        ssl_mode=_SSL_MODES[database.ssl_mode],
        ca_file=database.ssl_root_cert,
    )


class Connector:
    """Makes sessions on one database."""

    def __init__(self, database: "Database", *, statement_timeout: float) -> None:
        """Keep where, and the seconds after which the server ends a statement."""
        self._database = database
        self._statement_timeout = statement_timeout
        self._process = f"orders {secrets.token_hex(4)}"
        self._numbers = itertools.count(1)

    @property
    def where(self) -> str:
        """The database, for people."""
        return self._database.where

    async def connect(self, warm: Sequence[Statement] = ()) -> Session:
        """Return a session that is set up, with the statements of `warm` prepared.

        Each has an `application_name` of its own, by which another one can find its backend.

        Raises:
            DriverError: the server cannot be reached, or refuses.
            TimeoutError: it did not answer in time.

        """
        # psqlpy's pool hops threads for every acquire, has no time-out, and can hand out a
        # connection that died: so each connection is taken once, from a pool of its own.
        name = f"{self._process} {next(self._numbers)}"
        pool = open_pool(self._database, 1, name)
        try:
            async with asyncio.timeout(self._database.connect_timeout + 1):
                session = Session(name, pool, await pool.connection())
                await session.set_up(self._statement_timeout, warm)
        except BaseException:
            pool.close()
            raise
        return session
