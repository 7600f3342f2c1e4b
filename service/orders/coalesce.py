"""Natural batching: concurrent calls of one kind share a round trip.

No call waits for company. An idle call goes out at once; while a batch is in flight the next one
gathers. A second batch joins the first when it is worth its round trip (`overlap`), so a batch
grows with the load, or when the first takes so long that it may hang (`patience`). A batch is
driven by a task of its own, so a caller that goes away takes nothing with it.

A lane that is down takes no batch. What a lost lane carried returns to the head of the queue; so
does, once, what a silent lane carries. This module knows no SQL and no HTTP.
"""

import asyncio
import heapq
import math
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextvars import Context
from typing import Any, Final, Generic, TypeVar

from orders.batch import Batch, Entry, Lane, expire, start
from orders.errors import DatabaseUnavailable, Overloaded

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_SILENCE: Final = 1 / 3
"""Share of the timeout after which a batch that is not answered is looked after."""


class Coalescer(Generic[ItemT, ResultT]):
    """Turns calls of `submit` into batches on a few lanes."""

    def __init__(  # noqa: PLR0913  bounds, each with its name
        self,
        lanes: Sequence[Lane[ItemT, ResultT]],
        *,
        timeout: float,
        batch_limit: int = 256,
        queue_limit: int = 8192,
        overlap: int = 1,
        patience: float = 0.05,
        on_retry: Callable[[], None] = lambda: None,
    ) -> None:
        """Keep the bounds.

        Args:
            lanes: how many batches may be in flight, and where.
            timeout: seconds from `submit` to DeadlineExceeded; after a third of them on its way a
                batch whose lane is not at work is sent again.
            batch_limit: items in one batch, at most.
            queue_limit: items that wait for a batch, at most; those to be sent again come on top.
            overlap: a batch goes out beside one in flight only with this many items,
            patience: or when the oldest one has been in flight for so many seconds.
            on_retry: called each time a batch is about to be sent again.

        """
        self._loop = asyncio.get_running_loop()
        self._lanes = lanes
        self._idle = list(reversed(lanes))
        self._timeout = timeout
        self._silence = timeout * _SILENCE
        self._batch_limit = batch_limit
        self._queue_limit = queue_limit
        self._overlap = overlap
        self._patience = patience
        self._on_retry = on_retry
        self._queue: deque[Entry] = deque()
        self._batches: dict[asyncio.Task[None], Batch] = {}
        self._silent: dict[asyncio.Task[None], Batch] = {}
        self._helpers: set[asyncio.Task[None]] = set()
        self._overdue = math.inf  # loop time from which the oldest batch in flight may hang
        self._timer: asyncio.TimerHandle | None = None
        self._overdue_timer: asyncio.TimerHandle | None = None
        self._drained: asyncio.Event = asyncio.Event()

    @property
    def depth(self) -> int:
        """Items that wait for a batch."""
        return len(self._queue)

    @property
    def in_flight(self) -> int:
        """Batches on their way, each on a lane; silent ones were replaced by others."""
        return len(self._batches)

    def submit(self, item: ItemT, link: Any = None) -> asyncio.Future[ResultT]:
        """Put one item into the next batch.

        Raises:
            Overloaded: `queue_limit` items wait already; at once.
            DatabaseUnavailable: every lane has been down for longer than `timeout`; at once.
            DeadlineExceeded: through the future, `timeout` seconds after the call.

        """
        loop = self._loop
        now = loop.time()
        if self._lanes[0].down_since is not None:
            self._refuse_if_down(now)
        queue = self._queue
        if len(queue) >= self._queue_limit:
            raise Overloaded(f"{self._queue_limit} requests wait already")
        future: asyncio.Future[ResultT] = loop.create_future()
        queue.append(Entry(item, future, now + self._timeout, link))
        if self._idle:
            self._consider(now)
        if self._timer is None:
            self._timer = loop.call_at(now + self._silence, self._look)
        return future

    async def drain(self) -> None:
        """Return when nothing waits and nothing is in flight."""
        while self._queue or self._batches or self._silent:
            self._drained.clear()
            await self._drained.wait()
        for timer in (self._timer, self._overdue_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._overdue_timer = None
        for helper in self._helpers:
            helper.cancel()
        await asyncio.gather(*self._helpers, return_exceptions=True)

    def _refuse_if_down(self, now: float) -> None:
        newest = 0.0
        for lane in self._lanes:
            if lane.down_since is None:
                return
            newest = max(newest, lane.down_since)
        if now - newest > self._timeout:
            msg = f"no connection for {now - newest:.0f} s"
            raise DatabaseUnavailable(msg)

    def _take(self) -> list[Entry]:
        """Remove the next batch from the queue, without those nobody waits for any more."""
        queue = self._queue
        batch: list[Entry] = []
        while queue and len(batch) < self._batch_limit:
            entry = queue.popleft()
            if not entry.future.done():
                batch.append(entry)
        return batch

    def _consider(self, now: float) -> None:
        """Send what waits on an idle lane, if it is time to; else see to it that it will be."""
        alone = not self._batches
        if alone or len(self._queue) >= self._overlap or now >= self._overdue:
            lane = self._standing()
            if lane is not None:
                self._launch(lane, now)
        elif self._overdue_timer is None:
            self._overdue_timer = self._loop.call_at(self._overdue, self._reconsider)

    def _reconsider(self) -> None:
        """Look again, at a time when some batch was to be overdue; it is of no matter which."""
        self._overdue_timer = None
        if self._queue and self._idle:
            self._consider(self._loop.time())

    def _standing(self) -> Lane[ItemT, ResultT] | None:
        """Take an idle lane that stands; those that do not are idle again once they do."""
        while self._idle:
            lane = self._idle.pop()
            if lane.down_since is None:
                return lane
            self._help(self._restore(lane))
        return None

    async def _restore(self, lane: Lane[ItemT, ResultT]) -> None:
        try:
            await lane.ready()
        finally:
            self._idle.append(lane)
        if self._queue:
            self._consider(self._loop.time())

    def _launch(self, lane: Lane[ItemT, ResultT], now: float) -> None:
        entries = self._take()
        if not entries:
            self._idle.append(lane)
            return
        batch = Batch(entries, now, lane)
        task = start(self._loop, batch.run(lane, entries))
        if not task.done():
            self._batches[task] = batch
            self._overdue = min(self._overdue, now + self._patience)
            task.add_done_callback(lambda task: self._land(task, batch))
        else:
            self._land(task, batch)

    def _land(self, task: asyncio.Task[None], batch: Batch) -> None:
        """Take a lane back and send what gathered meanwhile."""
        self._batches.pop(task, None)
        lane = batch.lane
        if lane is None:
            del self._silent[task]
        else:
            self._idle.append(lane)
        if task.cancelled():
            if lane is not None:
                lane.abandon()
        elif (error := task.exception()) is not None:
            self._loop.call_exception_handler(
                {"message": "a batch broke off", "exception": error, "task": task}
            )
        if batch.lost:
            self._send_again(batch.left())
        self._go_on()

    def _go_on(self) -> None:
        """Do what the end of a batch makes possible."""
        if self._silent:
            for task, batch in self._silent.items():
                if batch.answered():
                    task.cancel()
        oldest = next(iter(self._batches.values()), None)
        self._overdue = math.inf if oldest is None else oldest.started + self._patience
        if self._queue:
            self._consider(self._loop.time())
        if not self._queue and not self._batches and not self._silent:
            self._drained.set()

    def _send_again(self, entries: list[Entry]) -> None:
        """Put calls back into the queue, which is in the order of deadlines."""
        if entries:
            merged: Iterable[Entry] = heapq.merge(
                entries, self._queue, key=lambda entry: entry.deadline
            )
            self._queue = deque(merged)
            self._on_retry()

    def _look(self) -> None:
        """Answer those whose deadline passed, and look after batches that are out for long.

        While anything waits or is in flight this runs once in each silence, so none is missed.
        """
        self._timer = None
        now = self._loop.time()
        due = [now + self._silence, expire(self._queue, now) or math.inf]
        while self._queue and self._queue[0].future.done():
            self._queue.popleft()
        for task, batch in [*self._batches.items(), *self._silent.items()]:
            deadline = batch.expire(now)
            silent_at = batch.started + self._silence
            if deadline <= now:
                task.cancel()
            elif not batch.examined and silent_at <= now:
                batch.examined = True
                self._help(self._examine(task, batch))
                due.append(deadline)
            else:
                due.append(deadline if batch.examined else min(deadline, silent_at))
        if self._queue or self._batches or self._silent:
            self._timer = self._loop.call_at(min(due), self._look)
        else:
            self._drained.set()

    async def _examine(self, task: asyncio.Task[None], batch: Batch) -> None:
        """Send a batch again, on another connection, unless its lane is at work."""
        lane = batch.lane
        if lane is None or await lane.at_work() or task not in self._batches:
            return
        self._silent[task] = self._batches.pop(task)
        batch.lane = None
        lane.abandon()
        self._idle.append(lane)
        self._send_again(batch.copy())
        self._go_on()

    def _help(self, work: Coroutine[Any, Any, None]) -> None:
        helper = self._loop.create_task(work, context=Context())
        self._helpers.add(helper)
        helper.add_done_callback(self._helpers.discard)
