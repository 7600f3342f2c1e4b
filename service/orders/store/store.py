"""The store: all held connections of one process, and the lanes that run on them.

There are eight connections: two each for creates, reads and pages, as many as batches may be in
flight; one for the bulks of callers; and the probe, which answers while all others are busy. The
probe serves readiness, asks the server about the other connections, and ends them. Endpoints with
statements of their own have a `pool` beside these.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from orders.batch import ConnectionLost
from orders.store import statements
from orders.store.backends import Backends
from orders.store.connections import HeldConnection
from orders.store.connector import Connector
from orders.store.drift import drift, table_of
from orders.store.driver_errors import Outage
from orders.store.lanes import InsertLane, InsertManyLane, PageLane, SelectLane
from orders.store.order_ids import OrderIds
from orders.store.pool import Pool
from orders.store.refusals import RefusalLog
from orders.store.schema import LOOK, REQUIRED_VERSION, VERSION, look
from orders.store.session import Statement
from orders.store.writes import Writes

if TYPE_CHECKING:
    from orders.config import Database
    from orders.telemetry.metrics import Metrics
    from orders.telemetry.tracing import Tracing

LANES = 2

_ANSWER_SHARE: Final = 1 / 6
"""Share of a statement's timeout in which a question about a connection has to be answered.

A silent batch is examined after a third of its time, so half of it is left to send it again."""
_ENDING_TIMEOUT: Final = 2.0

log = logging.getLogger("orders.store")


class Store:
    """Held connections by kind of batch."""

    def __init__(
        self,
        database: "Database",
        *,
        statement_timeout: float,
        metrics: "Metrics",
        tracing: "Tracing",
    ) -> None:
        """Make the lanes; `open` starts to connect."""
        self._connections: list[HeldConnection] = []

        connector = Connector(database, statement_timeout=statement_timeout)
        self._process = connector.process
        outage = Outage(database.where)
        self._backends = Backends(timeout=statement_timeout * _ANSWER_SHARE)
        self.writes = Writes(self._backends, quiet=statement_timeout)

        def held(warm: list[Statement]) -> HeldConnection:
            connection = HeldConnection(
                connector,
                warm=warm,
                on_lost=self._check_all,
                outage=outage,
                backends=self._backends,
            )
            self._connections.append(connection)
            return connection

        lanes: tuple[Any, ...] = (metrics, tracing, RefusalLog())
        writing = (*lanes, self.writes, OrderIds())
        self.insert = [InsertLane(held(statements.WARM_WRITE), *writing) for _ in range(LANES)]
        self.select = [SelectLane(held(statements.WARM_READ), *lanes) for _ in range(LANES)]
        self.insert_many = [InsertManyLane(held(statements.WARM_BULK), *writing)]
        self.page = [PageLane(held(statements.WARM_PAGE), *lanes) for _ in range(LANES)]
        self._serving = list(self._connections)
        self._probe = held([(LOOK, [1]), (VERSION, [1])])
        self._backends.ask_over(self._probe)
        self.pool = Pool(lambda: held([]), metrics)
        """Connections for endpoints with statements of their own, opened for the first one."""
        self.drift: str | None = None
        """How the table did not fit the model when the version was last asked for."""
        self._probing: asyncio.Future[int | None] | None = None

    def open(self) -> None:
        """Start to connect, all at once, in the background."""
        for connection in self._connections:
            connection.open()

    async def ready(self) -> None:
        """Return when every connection is up and its statements are prepared."""
        await asyncio.gather(*(connection.ready() for connection in self._connections))

    def connections_by_state(self) -> Mapping[str, int]:
        """Count the connections that are `idle`, `used` and `connecting`."""
        states = Counter(connection.state for connection in self._connections)
        return {state: states[state] for state in ("idle", "used", "connecting")}

    async def schema_version(self, *, timeout_seconds: float) -> int | None:
        """Return the schema's version, 0 for none; None if no connection answers or serves.

        A call while another one is in flight shares that one's answer.
        """
        if self._probing is None:
            self._probing = asyncio.ensure_future(self._ask_version(timeout_seconds))
            self._probing.add_done_callback(lambda _: setattr(self, "_probing", None))
        return await asyncio.shield(self._probing)

    async def close(self) -> None:
        """Close every connection, and end what is left of them at the server.

        Only if something may be left does this wait for the probe, which may still be connecting.
        """
        left = any(connection.may_be_there for connection in self._connections)
        shared = any(connection.shares_backends for connection in self._connections)
        serving = (*self._serving, *self.pool.connections)
        await asyncio.gather(*(connection.close() for connection in serving))
        if left:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ENDING_TIMEOUT):
                    await self._backends.end_others(self._process, shared=shared)
        await self._probe.close()

    def _check_all(self) -> None:
        """Check the other connections after one was lost, before a request finds out."""
        for connection in self._connections:
            connection.check()

    async def _ask_version(self, timeout_seconds: float) -> int | None:
        self.writes.look_again()
        try:
            async with self._probe.within(timeout_seconds):
                await self._probe.verify()
                version = await self._look()
        except ConnectionLost:
            return None
        serves = any(connection.down_since is None for connection in self._serving)
        return version if serves else None

    async def _look(self) -> int:
        """Return the schema's version, and keep how the table of orders does not fit the model."""
        version, rows = await look(self._probe.fetch)
        if version >= REQUIRED_VERSION:
            found = drift(table_of(rows))
            if found is not None and found != self.drift:
                log.error("the table orders does not fit the model: %s", found)
            self.drift = found
        return version
