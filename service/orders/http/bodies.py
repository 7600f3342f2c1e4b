"""How long a request's body may take to arrive: as long as a request may take, and no longer."""

import asyncio
import math
from time import perf_counter
from typing import Any, Final

from orders.errors import RequestTimeout
from orders.http.asgi import Receive

_PAUSE: Final = 0.02
"""Seconds between two looks at the bodies that are late, however many they are."""


class Bodies:
    """Waits for the bodies of requests, but not for ever, and with one timer for all of them.

    A body is nearly always there within microseconds; a timer of its own would cost more.
    """

    def __init__(self, timeout: float) -> None:
        """Wait for `timeout` seconds from the start of a request."""
        self._timeout = timeout
        self._waiting: dict[asyncio.Task[Any], float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = math.inf
        self._arrived: asyncio.Event | None = None

    async def receive(self, receive: Receive, started: float) -> dict[str, Any]:
        """Return the next message; `started` is when the request did, by time.perf_counter().

        Raises:
            RequestTimeout: it has not come in time.

        """
        task: asyncio.Task[Any] = asyncio.current_task()  # type: ignore[assignment]
        due = self._waiting[task] = started + self._timeout
        if due < self._due:
            self._arm(due)
        try:
            return await receive()
        except asyncio.CancelledError:
            if task in self._waiting:
                raise
            task.uncancel()
            msg = f"it had {perf_counter() - started:.1f} s to arrive"
            raise RequestTimeout(msg, headers=(("connection", "close"),)) from None
        finally:
            self._waiting.pop(task, None)
            if self._arrived is not None and not self._waiting:
                self._arrived.set()

    @property
    def waiting(self) -> int:
        """Bodies that have not arrived."""
        return len(self._waiting)

    async def arrived(self) -> None:
        """Return when no body is waited for."""
        while self._waiting:
            self._arrived = asyncio.Event()
            await self._arrived.wait()

    def give_up(self) -> None:
        """Wait no longer, for none, nor for those that are still to come."""
        self._timeout = 0.0
        for task in self._waiting:
            task.cancel()
        self._waiting.clear()

    def _arm(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        delay = max(0.0, due - perf_counter())
        self._timer = asyncio.get_running_loop().call_later(delay, self._look)

    def _look(self) -> None:
        now = perf_counter()
        for task in [task for task, due in self._waiting.items() if due <= now]:
            del self._waiting[task]
            task.cancel()
        self._timer, self._due = None, math.inf
        if self._waiting:
            self._arm(max(min(self._waiting.values()), now + _PAUSE))
