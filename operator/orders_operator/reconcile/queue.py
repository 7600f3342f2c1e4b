"""A queue of keys: one worker at a time works on a key, and each key waits in it only once.

A key that is added while it is worked on runs once more afterwards, so that no change is missed. A
key whose work failed comes back after a delay that doubles with each failure in a row. An event
for that key does not wait for the delay, because the event may be the cure.

Urgent keys go first (`lanes`): those that have changed, and rollouts. Keys whose turn has
merely come again, as all have after a restart, wait for those.

Slow work, such as waiting for a server that does not answer, holds no worker: after two seconds it
continues beside the workers. A key whose last work was slow starts beside them if there is room.
So however many keys are slow, all others find a worker.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Final, Generic, TypeVar

from orders_operator.reconcile.lanes import Lanes

FIRST_DELAY_SECONDS: Final = 0.5
LONGEST_DELAY_SECONDS: Final = 300.0
WORKERS: Final = 4
SLOW_SECONDS: Final = 2.0
"""The time after which work continues beside the workers."""
MOST_SLOW: Final = 16
"""How many keys that are known to be slow may be worked on at the same time."""

log = logging.getLogger("orders_operator.queue")
Key = TypeVar("Key", bound=Hashable)


def backoff(failures: int) -> float:
    """Return the seconds to wait after this many failures in a row: 0.5, 1, ... at most 300."""
    return min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(failures - 1, 32))


class KeyedQueue(Generic[Key]):
    """Keys that wait for `work`, which returns when the key should run again, or None."""

    def __init__(self, work: Callable[[Key], Awaitable[float | None]]) -> None:
        """Start with no key and no worker.

        Args:
            work: returns the seconds after which the key comes back by itself, and urgently, or
                None; an exception means failure.

        """
        self._work = work
        self._ready: Lanes[Key] = Lanes()
        self._busy: set[Key] = set()
        self._again: dict[Key, bool] = {}
        self._failures: dict[Key, int] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._arrived = asyncio.Event()
        self._workers: list[asyncio.Task[None]] = []
        self._slow: set[Key] = set()
        self._parked: dict[Key, bool] = {}
        self._beside: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Return how many keys wait to be worked on now."""
        return len(self._ready) + len(self._parked) + len(self._again)

    @property
    def failing(self) -> int:
        """How many keys failed when they were last worked on."""
        return len(self._failures)

    @property
    def alive(self) -> bool:
        """Whether every worker that was started still runs."""
        return all(not worker.done() for worker in self._workers)

    def start(self, workers: int = WORKERS) -> None:
        """Start the workers."""
        self._workers = [
            asyncio.create_task(self._run(), name=f"worker-{number}") for number in range(workers)
        ]

    async def stop(self) -> None:
        """Cancel all work that is under way: it is repeatable, and the next leader repeats it."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        tasks = [*self._workers, *self._beside]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def add(self, key: Key, *, urgent: bool = True) -> None:
        """Have a key worked on once a worker is free and the key's present work is done."""
        for waiting in (self._again, self._parked):
            if key in waiting:
                waiting[key] |= urgent
                return
        if key in self._busy:
            self._again[key] = urgent
            return
        self._ready.add(key, urgent=urgent)
        self._arrived.set()

    def add_after(self, key: Key, seconds: float, *, urgent: bool = True) -> None:
        """Have a key worked on later; the earlier of two such requests counts.

        If the key is worked on before that, the request is dropped.
        """
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        timer = self._timers.get(key)
        if timer is not None:
            if timer.when() <= at:
                return
            timer.cancel()
        self._timers[key] = loop.call_at(at, partial(self._due, key, urgent=urgent))

    def forget(self, key: Key) -> None:
        """Drop everything that is remembered of a key that is gone."""
        self._failures.pop(key, None)
        self._slow.discard(key)
        self._drop_timer(key)

    def _due(self, key: Key, *, urgent: bool) -> None:
        del self._timers[key]
        self.add(key, urgent=urgent)

    def _drop_timer(self, key: Key) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    async def _run(self) -> None:
        while True:
            while not self._ready:
                self._arrived.clear()
                await self._arrived.wait()
            key, urgent = self._ready.take()
            if key in self._slow and len(self._beside) >= MOST_SLOW:
                self._parked[key] = urgent
                continue
            self._drop_timer(key)
            self._busy.add(key)
            task = asyncio.create_task(self._timed(key, urgent=urgent))
            self._beside.add(task)
            task.add_done_callback(self._unpark)
            if key not in self._slow:
                await asyncio.wait({task}, timeout=SLOW_SECONDS)

    def _unpark(self, task: asyncio.Task[None]) -> None:
        self._beside.discard(task)
        if self._parked:
            key = next(iter(self._parked))
            self._ready.add(key, urgent=self._parked.pop(key))
            self._arrived.set()

    async def _timed(self, key: Key, *, urgent: bool) -> None:
        """Work on a key, and note whether that took long."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await self._once(key, urgent=urgent)
        finally:
            took = loop.time() - began
            (self._slow.add if took >= SLOW_SECONDS else self._slow.discard)(key)
            self._busy.discard(key)
            if key in self._again:
                self.add(key, urgent=self._again.pop(key))

    async def _once(self, key: Key, *, urgent: bool) -> None:
        try:
            later = await self._work(key)
        except Exception as error:  # noqa: BLE001  one key's failure must not end its worker
            failures = self._failures.get(key, 0) + 1
            self._failures[key] = failures
            delay = backoff(failures)
            log.debug("%s failed %d times, again in %g s: %s", key, failures, delay, error)
            self.add_after(key, delay, urgent=urgent)
        else:
            self._failures.pop(key, None)
            if later is not None:
                self.add_after(key, later)
