"""Natural batching: concurrent calls of one kind share a round trip.

A call goes out at once if no batch is in flight; while one is, the next batch gathers. A second
batch goes out beside the first when it is worth its round trip (`overlap`), so a batch grows with
the load, or when the first takes so long that it may hang (`overdue_after`). After a batch of many
callers the next one waits a moment for more of them (`gathering`). A task of its own drives each
batch, so a caller that goes away cancels nothing for the others.

A lane that is down takes no batch. Calls on a lane that is lost return to the queue, at the place
of their deadlines; so do, once, calls on a silent lane. This module knows no SQL and no HTTP.
"""

import asyncio
import math
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from typing import Any, Final, Generic, TypeVar

from orders.alarm import Alarm
from orders.batch import Batch, FutureWaiter, Lane, Waiter, answer, down_for, start, tell
from orders.deadline_queue import DeadlineQueue
from orders.errors import DatabaseUnavailable, DeadlineExceeded, Internal, Overloaded
from orders.gathering import Gathering

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_SILENCE: Final = 1 / 3
"""Share of the timeout after which an unanswered batch is examined, and then examined again."""


class Coalescer(Generic[ItemT, ResultT]):
    """Turns waiters, or calls of `submit`, into batches on a few lanes."""

    def __init__(  # noqa: PLR0913  bounds, each with its name
        self,
        lanes: Sequence[Lane[ItemT, ResultT]],
        *,
        timeout: float,
        batch_limit: int = 256,
        queue_limit: int = 8192,
        overlap: int = 1,
        overdue_after: float = 0.05,
        on_retry: Callable[[], None] = lambda: None,
    ) -> None:
        """Keep the lanes and the bounds.

        Args:
            lanes: each carries one batch at a time.
            timeout: seconds from the start of a call to DeadlineExceeded; after each third of
                them a batch in flight is sent again, once, if its lane is not at work.
            batch_limit: the most items in one batch.
            queue_limit: the most items that wait for a batch; those to be sent again come on top.
            overlap: the items that a batch needs to go out beside one in flight,
            overdue_after: unless the oldest batch has been in flight for this many seconds.
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
        self._overdue_after = overdue_after
        self._on_retry = on_retry
        self._queue = DeadlineQueue()
        self._batches: dict[Batch, None] = {}  # in flight, the oldest first
        self._silent: set[Batch] = set()
        self._helpers: set[asyncio.Task[None]] = set()
        self._overdue = math.inf  # loop time from which the oldest batch in flight may hang
        self._gathering = Gathering(self._loop, batch_limit, self._reconsider)
        self._deadlines = Alarm(self._loop, self._look)
        self._overdue_alarm = Alarm(self._loop, self._reconsider)
        self._drained: asyncio.Event = asyncio.Event()

    @property
    def depth(self) -> int:
        """Items that wait for a batch."""
        return len(self._queue)

    @property
    def in_flight(self) -> int:
        """Batches in flight on a lane; silent ones, which gave up their lanes, do not count."""
        return len(self._batches)

    def submit(
        self, item: ItemT, link: Any = None, deadline: float = 0.0
    ) -> asyncio.Future[ResultT]:
        """Put one item into the next batch, as `add` does; the future gets its answer."""
        future: asyncio.Future[ResultT] = self._loop.create_future()
        waiter = FutureWaiter(item, link, future)
        waiter.deadline = deadline
        self.add(waiter)
        return future

    def add(self, waiter: Waiter) -> None:
        """Queue one waiter for the next batch; the earliest deadline goes first.

        The waiter fails with DeadlineExceeded at its deadline; without one (0), `timeout` seconds
        after the call. What this raises, it raises at once.

        Raises:
            Overloaded: `queue_limit` items are already queued.
            DatabaseUnavailable: every lane has been down for longer than `timeout`.
            DeadlineExceeded: its deadline has already passed.

        """
        now = self._loop.time()
        away = down_for(self._lanes, now)
        if away > self._timeout:
            raise DatabaseUnavailable.away(away)
        if len(self._queue) >= self._queue_limit:
            raise Overloaded.of(self._queue_limit)
        deadline = waiter.deadline = waiter.deadline or now + self._timeout
        if deadline <= now:
            raise DeadlineExceeded("the deadline passed before anything was tried")
        self._queue.add(waiter)
        if deadline < self._deadlines.at:
            self._deadlines.by(min(now + self._silence, deadline))
        if self._idle:
            self._consider(now)

    async def give_up(self) -> None:
        """Stop waiting for the database: fail every waiter and cancel every batch.

        The database may or may not have executed the batches in flight.
        """
        stopped = DeadlineExceeded("the service stopped before the database answered")
        batches = [*self._batches, *self._silent]
        for batch in batches:
            batch.fail(stopped)
        for waiter in self._queue.take(len(self._queue)):
            tell(waiter, stopped)
        tasks = [batch.task for batch in batches if batch.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def drain(self) -> None:
        """Return when nothing waits and nothing is in flight."""
        while self._queue or self._batches or self._silent:
            self._drained.clear()
            await self._drained.wait()
        self._deadlines.stop()
        self._overdue_alarm.stop()
        self._gathering.stop()
        for helper in self._helpers:
            helper.cancel()
        await asyncio.gather(*self._helpers, return_exceptions=True)

    def _consider(self, now: float) -> None:
        """Send a batch on an idle lane if it is time to; otherwise arrange to reconsider."""
        waiting = len(self._queue)
        if not self._batches:
            if self._gathering.goes_on(waiting):
                return
        elif waiting < self._overlap and now < self._overdue:
            if self._overdue < self._overdue_alarm.at:
                self._overdue_alarm.by(self._overdue)
            return
        lane = self._standing()
        if lane is not None:
            self._launch(lane, now)

    def _reconsider(self) -> None:
        if self._queue and self._idle:
            self._consider(self._loop.time())

    def _standing(self) -> Lane[ItemT, ResultT] | None:
        """Take an idle lane that is up; those that are down become idle again once they are up."""
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
        self._reconsider()

    def _launch(self, lane: Lane[ItemT, ResultT], now: float) -> None:
        waiters = self._queue.take(self._batch_limit)
        if not waiters:
            self._idle.append(lane)
            return
        self._gathering.stop()
        batch = Batch(waiters, now, lane)
        batch.examine_at = now + self._silence
        self._batches[batch] = None
        self._overdue = min(self._overdue, now + self._overdue_after)
        batch.task = start(self._loop, self._fly(batch, lane))
        batch.task.add_done_callback(lambda task: self._ended(task, batch))

    async def _fly(self, batch: Batch, lane: Lane[ItemT, ResultT]) -> None:
        """Run a batch to its end: answered, refused, or lost.

        The lane is given back before anyone is told, so that the next batch is in flight while
        this one's answers are made. The next batch may land first, so a batch keeps no state on
        what it shares with others.
        """
        answers = await batch.run(lane)
        self._land(batch)
        answer(batch.waiters, answers)

    def _ended(self, task: asyncio.Task[None], batch: Batch) -> None:
        """Handle a batch whose task was cancelled or raised."""
        if task.cancelled():
            if batch.lane is not None:
                batch.lane.abandon()
        elif (error := task.exception()) is not None:
            self._loop.call_exception_handler(
                {"message": "a batch failed", "exception": error, "task": task}
            )
            batch.fail(Internal())
        else:
            return
        self._land(batch)

    def _land(self, batch: Batch) -> None:
        """Take a lane back and send what gathered meanwhile."""
        if batch.lane is None:
            self._silent.discard(batch)
        elif batch in self._batches:
            del self._batches[batch]
            self._idle.append(batch.lane)
        if batch.lost:
            self._send_again(batch.left())
        else:
            self._gathering.landed(len(batch.waiters) + len(self._queue))
        self._go_on()

    def _go_on(self) -> None:
        """After a batch has ended, cancel silent ones that are answered, and send the next."""
        for batch in self._silent:
            if batch.answered():
                batch.cancel()
        oldest = next(iter(self._batches), None)
        self._overdue = math.inf if oldest is None else oldest.started + self._overdue_after
        self._reconsider()
        if not self._queue and not self._batches and not self._silent:
            self._drained.set()

    def _send_again(self, waiters: list[Waiter]) -> None:
        """Put waiters back into the queue."""
        if waiters:
            self._queue.put_back(waiters)
            self._gathering.stop()
            self._on_retry()

    def _look(self) -> None:
        """Fail waiters whose deadline has passed, and examine batches that are late.

        While anything waits or is in flight, this runs at least once in each third of the timeout,
        so none is missed.
        """
        now = self._loop.time()
        due = [now + self._silence, self._queue.expire(now) or math.inf]
        for batch in [*self._batches, *self._silent]:
            deadline = batch.expire(now)
            if deadline <= now:
                batch.cancel()
                continue
            if batch.examine_at <= now:
                batch.examine_at = now + self._silence
                self._help(self._examine(batch))
            due.append(min(deadline, batch.examine_at))
        if self._queue or self._batches or self._silent:
            self._deadlines.by(min(due))
        else:
            self._drained.set()

    async def _examine(self, batch: Batch) -> None:
        """Send a batch again, on another connection, unless its lane is at work."""
        lane = batch.lane
        if lane is None or await lane.at_work() or batch not in self._batches:
            return
        del self._batches[batch]
        self._silent.add(batch)
        batch.lane = None
        batch.examine_at = math.inf
        lane.abandon()
        self._idle.append(lane)
        self._send_again(batch.copy())
        self._go_on()

    def _help(self, work: Coroutine[Any, Any, None]) -> None:
        helper = self._loop.create_task(work, context=Context())
        self._helpers.add(helper)
        helper.add_done_callback(self._helpers.discard)
