"""Makes connections: where to, how it is encrypted, and how long that may take."""

import asyncio
import contextlib
import itertools
import os
import random
import secrets
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from psqlpy import ConnectionPool, SslMode
from psqlpy.exceptions import Error as DriverError

from orders.store.encryption import first_of
from orders.store.session import Session, Statement

if TYPE_CHECKING:
    from orders.config import Database, Endpoint, Tls

T = TypeVar("T")

os.environ.setdefault("TOKIO_WORKER_THREADS", "1")  # before the driver starts its runtime


def open_pool(
    database: "Database", endpoint: "Endpoint", tls: "Tls", size: int, name: str | None = None
) -> ConnectionPool:
    """Make a pool that connects when asked to, to one host by one of its attempts.

    Its connections have this `application_name`, or the database's.
    """
    if tls.encrypted:
        # The driver would read these for every pool, which takes milliseconds, and trust whom they
        # name beside the file that it is given.
        for name_of_bundle in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
            os.environ.pop(name_of_bundle, None)
    return ConnectionPool(
        dsn=database.dsn_of(*endpoint),
        max_db_pool_size=max(2, size),
        application_name=name or database.application_name,
        connect_timeout_sec=database.connect_timeout,
        tcp_user_timeout_sec=10,
        keepalives=True,
        keepalives_idle_sec=10,
        keepalives_interval_sec=5,
        keepalives_retries=3,
        # Asked to verify, the driver goes on in the clear when the server has no TLS; asked to
        # require it, it does not, and it verifies chain and host name whenever it has a file.
        ssl_mode=SslMode.Require if tls.encrypted else SslMode.Disable,
        ca_file=tls.root_cert,
    )


async def first_host(
    database: "Database", connect: Callable[["Endpoint", "Tls"], Awaitable[T]]
) -> T:
    """Return what the first host that works connects to.

    Raises:
        DriverError: none did; it is the last one's.

    """
    endpoints = list(database.endpoints)
    if database.load_balance_hosts == "random":
        random.shuffle(endpoints)
    for endpoint in endpoints[:-1]:
        with contextlib.suppress(DriverError):
            return await first_of(database.attempts(endpoint.host), partial(connect, endpoint))
    last = endpoints[-1]
    return await first_of(database.attempts(last.host), partial(connect, last))


class Connector:
    """Makes sessions on one database."""

    def __init__(self, database: "Database", *, statement_timeout: float) -> None:
        """Keep where, and the seconds after which the server ends a statement."""
        self._database = database
        self._statement_timeout = statement_timeout
        self._process = f"{database.application_name} {secrets.token_hex(4)}"
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
        name = f"{self._process} {next(self._numbers)}"
        # psqlpy's pool hops threads for every acquire, has no time-out, and can hand out a
        # connection that died: so each connection is taken once, from a pool of its own.

        async def open_session(endpoint: "Endpoint", tls: "Tls") -> Session:
            pool = open_pool(self._database, endpoint, tls, 1, name)
            try:
                session = Session(name, pool, await pool.connection())
                await session.set_up(self._statement_timeout, warm)
            except BaseException:
                pool.close()
                raise
            return session

        async with asyncio.timeout(self._database.connect_timeout + 1):
            return await first_host(self._database, open_session)
