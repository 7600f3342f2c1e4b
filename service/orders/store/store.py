"""The store: all held connections of one process, and the lanes that run on them.

Eight connections: two each for creates, reads and pages, as many as may be in flight; one for the
large batches of callers; and one for readiness, which is thus answered while all others are busy.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orders.coalesce import ConnectionLost
from orders.store import sql
from orders.store.connections import HeldConnection
from orders.store.connector import Connector
from orders.store.lanes import InsertLane, InsertManyLane, PageLane, SelectLane
from orders.store.messages import Outage
from orders.store.refusals import RefusalLog
from orders.store.schema import schema_version
from orders.store.session import Statement

if TYPE_CHECKING:
    from orders.config import Database
    from orders.telemetry.metrics import Metrics
    from orders.telemetry.tracing import Tracing

LANES = 2


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
        outage = Outage(database.where)

        def held(warm: list[Statement]) -> HeldConnection:
            connection = HeldConnection(
                connector, warm=warm, on_lost=self._check_all, outage=outage
            )
            self._connections.append(connection)
            return connection

        lanes: tuple[Any, ...] = (metrics, tracing, RefusalLog())
        self.insert = [InsertLane(held(sql.WARM_WRITE), *lanes) for _ in range(LANES)]
        self.select = [SelectLane(held(sql.WARM_READ), *lanes) for _ in range(LANES)]
        self.insert_many = [InsertManyLane(held(sql.WARM_WRITE), *lanes)]
        self.page = [PageLane(held(sql.WARM_PAGE), *lanes) for _ in range(LANES)]
        self._probe = held([])
        self._probing: asyncio.Future[int | None] | None = None

    def open(self) -> None:
        """Start to connect, all at once, in the background."""
        for connection in self._connections:
            connection.open()

    async def ready(self) -> None:
        """Return when every connection stands and its statements are prepared."""
        await asyncio.gather(*(connection.ready() for connection in self._connections))

    def connections_by_state(self) -> Mapping[str, int]:
        """Count the connections that are `idle`, `used` and `connecting`."""
        states = Counter(connection.state for connection in self._connections)
        return {state: states[state] for state in ("idle", "used", "connecting")}

    async def schema_version(self, *, patience: float) -> int | None:
        """Return the migrated version, 0 for none, or None when the database does not answer.

        Whoever asks while a question is on its way gets that one's answer.
        """
        if self._probing is None:
            self._probing = asyncio.ensure_future(self._ask_version(patience))
            self._probing.add_done_callback(lambda _: setattr(self, "_probing", None))
        return await asyncio.shield(self._probing)

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(connection.close() for connection in self._connections))

    def _check_all(self) -> None:
        """One connection was lost: find out about the others before a request does."""
        for connection in self._connections:
            connection.check()

    async def _ask_version(self, patience: float) -> int | None:
        try:
            async with asyncio.timeout(patience):
                return await schema_version(self._probe.fetch)
        except TimeoutError:
            self._probe.abandon("the database did not answer a probe")
        except ConnectionLost:
            pass
        return None
