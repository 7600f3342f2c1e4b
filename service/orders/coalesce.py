"""Natural batching: concurrent calls of one kind share a round trip.

No call waits for company. An idle call goes out at once; while a batch is in flight the next one
gathers. A second batch joins the first when it is worth its round trip (`overlap`), so a batch
grows with the load, or when the first takes so long that it may hang (`patience`). A batch is
driven by a task of its own, so a caller that goes away takes nothing with it. This module knows
no SQL and no HTTP.
"""

import asyncio
import math
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextvars import Context
from typing import Any, Final, Generic, Protocol, TypeVar

from msgspec import Struct

from orders.errors import DatabaseUnavailable, DeadlineExceeded, Overloaded

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
ItemT_contra = TypeVar("ItemT_contra", contravariant=True)
ResultT_co = TypeVar("ResultT_co", covariant=True)


class ConnectionLost(Exception):
    """A lane lost its connection: nothing is known of the batch, which may be sent again."""

    name: Final = "connection-lost"


class Lane(Protocol[ItemT_contra, ResultT_co]):
    """One way to the database, used by one batch at a time."""

    @property
    def down_since(self) -> float | None:
        """Loop time at which the connection was lost; None while it stands."""

    async def run(
        self, items: Sequence[ItemT_contra], links: Sequence[Any]
    ) -> Sequence[ResultT_co | Exception]:
        """Answer every item, in order; an exception among the answers is raised to its caller.

        Raises:
            ConnectionLost: the batch is sent again once `ready` returns.
            Exception: the batch was refused; its halves are tried on their own.

        """

    async def ready(self) -> None:
        """Return when a run has a chance again."""

    def abandon(self) -> None:
        """Give up the connection: a run was cancelled and may still hold it."""


class _Entry(Struct, frozen=True):
    """One caller that waits."""

    item: Any
    future: asyncio.Future[Any]
    deadline: float
    link: Any


class _Flight(Struct, frozen=True):
    """One batch on its way, since a loop time."""

    batch: list[_Entry]
    started: float


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
            timeout: seconds from `submit` to DeadlineExceeded.
            batch_limit: items in one batch, at most.
            queue_limit: items that wait for a batch, at most.
            overlap: a batch goes out beside one in flight only with this many items,
            patience: or when the oldest one has been in flight for so many seconds.
            on_retry: called each time a batch is about to be sent again.

        """
        self._loop = asyncio.get_running_loop()
        self._lanes = lanes
        self._idle = list(reversed(lanes))
        self._timeout = timeout
        self._batch_limit = batch_limit
        self._queue_limit = queue_limit
        self._overlap = overlap
        self._patience = patience
        self._on_retry = on_retry
        self._queue: deque[_Entry] = deque()
        self._flights: dict[asyncio.Task[None], _Flight] = {}
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
        """Batches on their way."""
        return len(self._flights)

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
        queue.append(_Entry(item, future, now + self._timeout, link))
        if self._idle:
            self._consider(now)
        if self._timer is None:
            self._timer = loop.call_at(now + self._timeout, self._expire)
        return future

    async def drain(self) -> None:
        """Return when nothing waits and nothing is in flight."""
        while self._queue or self._flights:
            self._drained.clear()
            await self._drained.wait()
        for timer in (self._timer, self._overdue_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._overdue_timer = None

    def _refuse_if_down(self, now: float) -> None:
        newest = 0.0
        for lane in self._lanes:
            if lane.down_since is None:
                return
            newest = max(newest, lane.down_since)
        if now - newest > self._timeout:
            msg = f"no connection for {now - newest:.0f} s"
            raise DatabaseUnavailable(msg)

    def _take(self) -> list[_Entry]:
        """Remove the next batch from the queue, without those nobody waits for any more."""
        queue = self._queue
        batch: list[_Entry] = []
        while queue and len(batch) < self._batch_limit:
            entry = queue.popleft()
            if not entry.future.done():
                batch.append(entry)
        return batch

    def _consider(self, now: float) -> None:
        """Send what waits on an idle lane, if it is time to; else see to it that it will be."""
        idle = self._idle
        alone = len(idle) == len(self._lanes)
        if alone or len(self._queue) >= self._overlap or now >= self._overdue:
            self._launch(idle.pop(), now)
        elif self._overdue_timer is None:
            self._overdue_timer = self._loop.call_at(self._overdue, self._reconsider)

    def _reconsider(self) -> None:
        """Look again, at a time when some batch was to be overdue; it is of no matter which."""
        self._overdue_timer = None
        if self._queue and self._idle:
            self._consider(self._loop.time())

    def _launch(self, lane: Lane[ItemT, ResultT], now: float) -> None:
        batch = self._take()
        if not batch:
            self._idle.append(lane)
            return
        task = _start(self._loop, self._fly(lane, batch))
        if not task.done():
            self._flights[task] = _Flight(batch, now)
            self._overdue = min(self._overdue, now + self._patience)
            task.add_done_callback(lambda task: self._land(task, lane))
        else:
            self._land(task, lane)

    def _land(self, task: asyncio.Task[None], lane: Lane[ItemT, ResultT]) -> None:
        """Take a lane back and send what gathered meanwhile."""
        self._flights.pop(task, None)
        if task.cancelled():
            lane.abandon()
        elif (error := task.exception()) is not None:
            self._loop.call_exception_handler(
                {"message": "a batch broke off", "exception": error, "task": task}
            )
        self._idle.append(lane)
        oldest = next(iter(self._flights.values()), None)
        self._overdue = math.inf if oldest is None else oldest.started + self._patience
        if self._queue:
            self._consider(self._loop.time())
        if not self._queue and not self._flights:
            self._drained.set()

    async def _fly(self, lane: Lane[ItemT, ResultT], batch: list[_Entry]) -> None:
        """Run one batch to its end: answered, refused, or expired while it was retried."""
        while batch:
            links = [entry.link for entry in batch if entry.link is not None]
            try:
                results = await lane.run([entry.item for entry in batch], links)
            except ConnectionLost:
                await lane.ready()
                batch = _waiting(batch)
                if batch:
                    self._on_retry()
            except Exception as error:  # noqa: BLE001  what a database may refuse is not ours to list
                if len(batch) == 1:
                    _fail(batch[0], error)
                    return
                half = len(batch) // 2
                await self._fly(lane, batch[:half])
                batch = _waiting(batch[half:])
            else:
                _answer(batch, results)
                return

    def _expire(self) -> None:
        """Answer those whose deadline passed, and stop batches that nobody waits for."""
        self._timer = None
        now = self._loop.time()
        due_times = [_expire_due(self._queue, now)]
        for task, flight in list(self._flights.items()):
            due = _expire_due(flight.batch, now) or flight.batch[-1].deadline
            if due <= now:
                task.cancel()
            else:
                due_times.append(due)
        earliest = min((due for due in due_times if due is not None), default=None)
        if earliest is not None:
            self._timer = self._loop.call_at(earliest, self._expire)


def _expire_due(entries: Iterable[_Entry], now: float) -> float | None:
    """Fail what is due; return the next deadline, or None when nobody waits."""
    for entry in entries:
        if entry.future.done():
            continue
        if entry.deadline > now:
            return entry.deadline
        entry.future.set_exception(DeadlineExceeded("the database did not answer in time"))
    return None


def _waiting(batch: list[_Entry]) -> list[_Entry]:
    return [entry for entry in batch if not entry.future.done()]


def _answer(batch: list[_Entry], results: Sequence[Any]) -> None:
    for entry, result in zip(batch, results, strict=True):
        if isinstance(result, Exception):
            _fail(entry, result)
        elif not entry.future.done():
            entry.future.set_result(result)


def _fail(entry: _Entry, error: Exception) -> None:
    if not entry.future.done():
        entry.future.set_exception(error)


def _start(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, None]
) -> asyncio.Task[None]:
    """Start a task; where Python can (3.12), its first step runs before this returns."""
    context = Context()  # a batch is of many callers: its log lines bear no one's trace
    if sys.version_info >= (3, 12):
        return asyncio.Task(coroutine, loop=loop, context=context, eager_start=True)
    return loop.create_task(coroutine, context=context)
