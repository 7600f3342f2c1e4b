"""How long a request's body may take to arrive: as long as a request may take, and no longer."""

import asyncio
import math
from time import perf_counter
from typing import Any, Final, Protocol

from orders.errors import RequestTimeout
from orders.http.asgi import Receive

_PAUSE: Final = 0.02
"""The least seconds between two checks for late bodies, however many there are."""


class Expected(Protocol):
    """What waits for a body."""

    def late(self, problem: RequestTimeout) -> None:
        """Wait no longer."""


class Bodies:
    """Waits for the bodies of requests, for a limited time, and with one timer for all of them.

    A body is nearly always there within microseconds; a timer of its own would cost more.
    """

    def __init__(self, timeout: float) -> None:
        """Wait for `timeout` seconds from the start of a request."""
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._waiting: dict[Expected, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = math.inf
        self._arrived: asyncio.Event | None = None

    def expect(self, body: Expected, started: float) -> None:
        """Wait for a body; from any thread.

        Args:
            body: told in the loop's thread if it is late.
            started: when the request began, by time.perf_counter().

        """
        self._waiting[body] = started
        due = started + self._timeout
        if due < self._due:
            self._due = due
            self._loop.call_soon_threadsafe(self._arm)

    def came(self, body: Expected) -> bool:
        """Stop waiting for a body; return whether it was still expected."""
        waited = self._waiting.pop(body, None) is not None
        if self._arrived is not None and not self._waiting:
            self._arrived.set()
        return waited

    async def receive(self, receive: Receive, started: float) -> dict[str, Any]:
        """Return the next message of a request that has a task.

        Raises:
            RequestTimeout: it did not come in time.

        """
        waiting = _Receiving()
        self.expect(waiting, started)
        try:
            return await receive()
        except asyncio.CancelledError:
            if waiting.in_time:
                raise
            raise waiting.problem() from None
        finally:
            self.came(waiting)

    @property
    def waiting(self) -> int:
        """Bodies that have not arrived."""
        return len(self._waiting)

    async def arrived(self) -> None:
        """Return when no body is expected."""
        while self._waiting:
            self._arrived = asyncio.Event()
            await self._arrived.wait()

    def give_up(self) -> None:
        """Give up all bodies: those expected now, and those of later requests."""
        self._timeout = 0.0
        for body, started in self._waiting.copy().items():
            self._give_up(body, started)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        delay = max(0.0, self._due - perf_counter())
        self._timer = self._loop.call_later(delay, self._look)

    def _look(self) -> None:
        now = perf_counter()
        self._due = math.inf
        waiting = self._waiting.copy()  # other threads may add to it
        for body, started in waiting.items():
            due = started + self._timeout
            if due <= now:
                self._give_up(body, started)
            else:
                self._due = min(self._due, due)
        if self._due < math.inf:
            self._due = max(self._due, now + _PAUSE)
            self._arm()

    def _give_up(self, body: Expected, started: float) -> None:
        if self.came(body):
            body.late(RequestTimeout.after(perf_counter() - started))


class _Receiving:
    """A task that waits for a message."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] = asyncio.current_task()  # type: ignore[assignment]
        self._problem: list[RequestTimeout] = []

    @property
    def in_time(self) -> bool:
        return not self._problem

    def late(self, problem: RequestTimeout) -> None:
        self._problem.append(problem)
        self._task.cancel()

    def problem(self) -> RequestTimeout:
        """Return the problem and drop it: kept, it would be a cycle that holds the connection."""
        self._task.uncancel()
        return self._problem.pop()
