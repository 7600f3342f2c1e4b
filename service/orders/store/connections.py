"""Connections that are held for good, and replaced when they die."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextvars import Context
from typing import Any
from weakref import WeakSet

from orders.batch import ConnectionLost
from orders.store.backends import Activity, Backends
from orders.store.backoff import Backoff
from orders.store.connector import Connector
from orders.store.driver_errors import Outage, explain
from orders.store.replaced import ReplacedSessions
from orders.store.session import Row, Run, Session, SessionLost, Statement

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
        backends: Backends | None = None,
    ) -> None:
        """Keep what is needed to connect; `open` starts.

        Args:
            connector: makes the connection and its replacements.
            warm: statements run once on each new connection, so that they are prepared.
            on_lost: called when the connection was lost.
            outage: logs that it cannot connect; shared with other connections.
            backends: ends connections at the server, over another one.

        """
        self._connector = connector
        self._warm = warm
        self._on_lost = on_lost
        self._outage = outage or Outage(connector.where)
        self._backends = backends or Backends(timeout=1.0)
        self._loop = asyncio.get_running_loop()
        self._session: Session | None = None
        self._up = asyncio.Event()
        self._connecting: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._replaced = ReplacedSessions(self._backends)
        self._backoff = Backoff()
        self._asking = asyncio.Lock()
        self._user: asyncio.Task[Any] | None = None
        self._outdated: WeakSet[asyncio.Task[Any]] = WeakSet()
        self.down_since: float | None = self._loop.time()

    @property
    def state(self) -> str:
        """The state that the metric of connections shows: `connecting`, `used` or `idle`."""
        if self._session is None:
            return "connecting"
        return "idle" if self._user is None else "used"

    @property
    def may_be_there(self) -> bool:
        """Whether the server may have a backend of this connection, or of one that it replaced."""
        return self._session is not None or bool(self._replaced)

    @property
    def shares_backends(self) -> bool:
        """Whether it goes through a pooler, which gives its backends to others as well."""
        return self._session is not None and self._session.shares_backends

    @property
    def name(self) -> str:
        """The `application_name` at the server; empty without a connection."""
        return "" if self._session is None else self._session.name

    @property
    def server(self) -> tuple[str, int] | None:
        """Host and port of the server, as configured; None without a connection."""
        if self._session is None:
            return None
        address = self._session.address
        return address.host.strip("[]"), address.port

    def open(self) -> None:
        """Start to connect, and return at once."""
        if self._connecting is None:
            self._connecting = self._start(self._connect())

    async def ready(self) -> None:
        """Return when the connection is up."""
        await self._up.wait()

    async def fetch(self, sql: str, parameters: list[Any], *, prepared: bool = True) -> list[Row]:
        """Run a statement as `Session.fetch` does.

        Raises:
            ConnectionLost: the connection is gone, or the server turned read-only, or the
                connection was replaced since this task's last statement.
            StatementRefused: the connection is up; the message is the server's, without the row.

        """
        session, user = self._session, asyncio.current_task()
        if session is None or (self._outdated and user in self._outdated):
            raise ConnectionLost
        self._user = user
        try:
            rows = await session.fetch(sql, parameters, prepared=prepared)
        except SessionLost as lost:
            self._lose(session, lost)
            raise ConnectionLost from None
        finally:
            if session is self._session:
                self._user = None
        self._backoff.reset()
        return rows

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Run]:
        """Yield a function that runs statements in one transaction, as `Session.transaction` does.

        Raises:
            ConnectionLost: the connection is gone, or was replaced.
            StatementRefused: the whole transaction was rolled back.

        """
        session = self._session
        if session is None:
            raise ConnectionLost
        self._user = asyncio.current_task()
        try:
            async with session.transaction() as run:
                yield run
        except SessionLost as lost:
            self._lose(session, lost)
            raise ConnectionLost from None
        finally:
            if session is self._session:
                self._user = None
        self._backoff.reset()

    def _lose(self, session: "Session", lost: SessionLost) -> None:
        """Abandon the connection, unless the session that was lost has been replaced already."""
        if session is self._session:
            self._user = None
            self.abandon(str(lost), silent=False)

    @contextlib.asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        """Hold the connection for questions; replace it if they are not answered in time.

        Another call waits meanwhile, and its own time runs while it waits.

        Raises:
            ConnectionLost: it was not up, or did not answer, in time.

        """
        session = None
        try:
            async with asyncio.timeout(seconds), self._asking:
                await self._up.wait()
                session = self._session
                yield
        except TimeoutError:
            if session is not None and session is self._session:
                self.abandon("the database did not answer a check")
            raise ConnectionLost from None

    async def verify(self) -> None:
        """Check that the server still has the role it has to have, which no read notices.

        Raises:
            ConnectionLost: it has not; the connection was abandoned.

        """
        session = self._session
        if session is None or not await session.stands():
            if session is self._session:
                self.abandon("the server has changed its role", silent=False)
            raise ConnectionLost

    async def activity(self) -> Activity | None:
        """Return what its backend does, asked over another connection; None without an answer."""
        return await self._backends.activity(self.name)

    def abandon(self, why: str = "a statement hung", *, silent: bool = True) -> None:
        """End the connection, and connect again in the background.

        Args:
            why: for the log.
            silent: whether the server gives no answer, so that its address is tried last.

        """
        session = self._session
        if session is not None:
            log.warning("connection to %s lost: %s", session.host, why)
            self._connector.lost(session, silent=silent)
            self._drop()
            self._replaced.end(session)
            self.open()
            self._on_lost()

    def doubt_plans(self) -> bool:
        """Whether outdated plans may be at fault although the backend that was asked has none."""
        return self._session is not None and self._connector.doubt_plans(self._session)

    def renew_plans(self) -> None:
        """Replace the connection, whose plans no longer fit, by one that plans anew."""
        if self._session is not None:
            self._connector.renew_plans(self._session)
            self.abandon("its plans are out of date", silent=False)

    def check(self) -> None:
        """Find out in the background whether an idle connection is up; until then it is down."""
        if self._session is not None and self._user is None and self._checking is None:
            self._go_down()
            self._checking = self._start(self._check(self._session))

    async def close(self) -> None:
        """Stop connecting and close."""
        running = [task for task in (self._connecting, self._checking) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, self._replaced.close(), return_exceptions=True)
        self._connecting = self._checking = None
        if self._session is not None:
            self._session.close()
        self._drop()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._loop.create_task(work, context=Context())

    def _go_down(self) -> None:
        self._up.clear()
        self.down_since = self._loop.time()

    def _drop(self) -> None:
        self._session = None
        if self._user is not None:
            self._outdated.add(self._user)
            self._user = None
        self._go_down()

    def _stand(self) -> None:
        self.down_since = None
        self._up.set()

    async def _check(self, session: Session) -> None:
        stands = silent = False
        try:
            async with asyncio.timeout(self._backends.timeout):
                stands = await session.stands()
        except TimeoutError:
            silent = True
        finally:
            self._checking = None
        if session is self._session:
            if stands:
                self._stand()
            else:
                self.abandon("it was lost together with another connection", silent=silent)

    async def _connect(self) -> None:
        """Try until connected; only a statement that works makes the pauses short again."""
        await self._replaced.settle()
        while self._session is None:
            await asyncio.sleep(self._backoff.pause())
            await self._replaced.room()
            try:
                self._session = await self._connector.connect(self._warm)
            except Exception as error:  # noqa: BLE001  else this would never connect again
                self._outage.failed(self, explain(error, detail=False))
        self._connecting = None
        self._stand()
        self._outage.connected(self)
