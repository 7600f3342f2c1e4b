"""Sessions that were replaced, each until its socket is gone.

The driver cannot close a connection, so the server is asked to end it. Until it is gone it counts:
a held connection has at most two sockets.
"""

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from orders.store.backends import Backends
    from orders.store.session import Session

_SOCKETS: Final = 2
_ENDING_TIMEOUT: Final = 0.25  # a backend that can be ended is gone in less


class ReplacedSessions:
    """The former sessions of one held connection."""

    def __init__(self, backends: "Backends") -> None:
        self._backends = backends
        self._sockets: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def __bool__(self) -> bool:
        """Whether one of them may still have a socket."""
        return bool(self._sockets)

    def end(self, session: "Session") -> None:
        """Have a session ended at the server, in the background."""
        gone = asyncio.get_running_loop().create_future()
        self._sockets.add(gone)
        gone.add_done_callback(self._sockets.discard)
        self._start(self._end_at_server(session, gone))
        self._start(self._end_by_itself(session, gone))

    async def settle(self) -> None:
        """Return when all are gone, or after the time in which a backend can be ended."""
        if self._sockets:
            await asyncio.wait(self._sockets, timeout=_ENDING_TIMEOUT)

    async def room(self) -> None:
        """Return when there may be another socket."""
        while len(self._sockets) >= _SOCKETS:
            await asyncio.wait(self._sockets, return_when=asyncio.FIRST_COMPLETED)

    async def close(self) -> None:
        """Stop asking, and close what is left."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end_at_server(self, session: "Session", gone: "asyncio.Future[None]") -> None:
        """Return when the session's backend is gone, however long the server cannot be asked."""
        if await self._backends.end(session.name, shared=session.shares_backends):
            _settle(gone)

    async def _end_by_itself(self, session: "Session", gone: "asyncio.Future[None]") -> None:
        """Close the session once it is gone, answers or breaks; in any case its socket goes."""
        hearing = asyncio.ensure_future(session.stands())
        try:
            await asyncio.wait((hearing, gone), return_when=asyncio.FIRST_COMPLETED)
            if session.shares_backends:  # a pooler ends one whose transaction is cut short
                await asyncio.wait((hearing,), timeout=self._backends.timeout)
        finally:
            hearing.cancel()
            session.close()
            _settle(gone)


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
