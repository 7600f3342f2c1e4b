"""Connections that are held for good, and replaced when they die."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Any

from orders.coalesce import ConnectionLost
from orders.store.backoff import Backoff
from orders.store.connector import Connector
from orders.store.messages import Outage, explain
from orders.store.session import Row, Session, SessionLost, Statement

log = logging.getLogger("orders.store")


class HeldConnection:
    """One connection, connected in the background for as long as it takes."""

    def __init__(
        self,
        connector: Connector,
        *,
        warm: Sequence[Statement] = (),
        on_lost: Callable[[], None] = lambda: None,
        outage: Outage | None = None,
    ) -> None:
        """Keep what is needed to connect; `open` starts.

        Args:
            connector: makes the connection, and those after it.
            warm: statements run once on each new connection, so that they are prepared.
            on_lost: called when the connection was lost.
            outage: what tells that it cannot connect, shared with other connections.

        """
        self._connector = connector
        self._warm = warm
        self._on_lost = on_lost
        self._outage = outage or Outage(connector.where)
        self._loop = asyncio.get_running_loop()
        self._session: Session | None = None
        self._up = asyncio.Event()
        self._connecting: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._backoff = Backoff()
        self._busy = False
        self.down_since: float | None = self._loop.time()

    @property
    def state(self) -> str:
        """What the connections-by-state metric calls it: `connecting`, `used` or `idle`."""
        if self._session is None:
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
        session = self._session
        if session is None:
            raise ConnectionLost
        self._busy = True
        try:
            rows = await session.fetch(sql, parameters)
        except SessionLost as lost:
            self.abandon(str(lost))
            raise ConnectionLost from None
        finally:
            self._busy = False
        self._backoff.reset()
        return rows

    async def verify(self) -> None:
        """Find out whether the server still is what it has to be, which no read notices.

        Raises:
            ConnectionLost: it is not; the connection was abandoned.

        """
        session = self._session
        if session is None or not await session.stands():
            if session is self._session:
                self.abandon("the server is not what it was")
            raise ConnectionLost

    def abandon(self, why: str = "a statement hung") -> None:
        """Close the connection and connect anew in the background."""
        if self._session is not None:
            log.warning("connection lost: %s", why)
            self._drop()
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

    def _drop(self) -> None:
        session, self._session = self._session, None
        self._up.clear()
        if session is not None:
            session.close()

    async def _check(self) -> None:
        session = self._session
        try:
            stands = session is None or await session.stands()
        finally:
            self._checking = None
        if not stands and session is self._session:
            self.abandon("another one was lost, and this one with it")

    async def _connect(self) -> None:
        """Try until it stands; only a statement that worked makes the pauses short again."""
        while self._session is None:
            await asyncio.sleep(self._backoff.pause())
            try:
                self._session = await self._connector.connect(self._warm)
            except Exception as error:  # noqa: BLE001  nobody else would ever connect again
                self._outage.failed(self, explain(error, detail=False))
        self.down_since = None
        self._connecting = None
        self._up.set()
        self._outage.connected(self)
