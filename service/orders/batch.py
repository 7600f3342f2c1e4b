"""One batch: the calls that share a statement, the lane that it runs on, and its end.

A call may be in flight twice: a batch whose lane goes silent is sent again on another lane, which
is safe because orders have ids. The first copy to succeed gives the answer. A refusal by the
database counts only once no other copy is in flight, because that one may still succeed. This
module knows no SQL.
"""

import asyncio
import logging
import math
import sys
from collections.abc import Coroutine, Iterable, Sequence
from contextvars import Context
from typing import Any, Final, Protocol, TypeVar

from orders.errors import DeadlineExceeded

ItemT_contra = TypeVar("ItemT_contra", contravariant=True)
ResultT_co = TypeVar("ResultT_co", covariant=True)

log = logging.getLogger("orders.batch")


HUNG: Final = "hung"
"""The message that cancels a lane's run which did not answer in time, or before its copy did."""


class ConnectionLost(Exception):
    """A lane lost its connection: nothing is known of the batch, which may be sent again."""

    name: Final = "connection-lost"


class Lane(Protocol[ItemT_contra, ResultT_co]):
    """One way to the database, used by one batch at a time."""

    @property
    def down_since(self) -> float | None:
        """Loop time from which the connection cannot be used; None while it stands."""

    async def run(
        self, items: Sequence[ItemT_contra], links: Sequence[Any]
    ) -> Sequence[ResultT_co | Exception]:
        """Answer every item, in order; an exception among the answers is its caller's failure.

        Raises:
            ConnectionLost: the batch is sent again on a lane that stands.
            Exception: the batch was refused; its halves are tried on their own.

        """

    async def ready(self) -> None:
        """Return when the connection is up."""

    async def at_work(self) -> bool | None:
        """Whether the server still works on the run; None if the question gets no answer."""

    def abandon(self) -> None:
        """Replace the connection; a run in flight may still end on the old one."""


def down_for(lanes: Iterable[Lane[Any, Any]], now: float) -> float:
    """Return for how many seconds every lane has been down; 0 while one is up."""
    newest = 0.0
    for lane in lanes:
        if lane.down_since is None:
            return 0.0
        newest = max(newest, lane.down_since)
    return now - newest


class Waiter:
    """One caller that waits for its part of a batch; it is told once: settled, or failed.

    Both happen in the loop's thread, possibly before the call that queued the waiter returns.
    """

    deadline = 0.0
    """Loop time at which it fails; 0 until that is known, or the waiter is queued."""
    done = False
    """Whether it no longer waits; `settle` and `fail` set this."""
    copies = 1
    """Copies of the call that are in flight or in the queue; 2 at most."""
    resent = False

    def __init__(self, item: Any, link: Any = None) -> None:
        """Wait for the answer to `item`; `link` is its trace, for the batch's span."""
        self.item = item
        self.link = link

    def settle(self, result: Any) -> None:
        """Take the answer."""
        raise NotImplementedError

    def fail(self, error: Exception) -> None:
        """Take the reason why there is no answer."""
        raise NotImplementedError


class FutureWaiter(Waiter):
    """A waiter whose caller awaits a future, and may cancel it."""

    def __init__(self, item: Any, link: Any, future: "asyncio.Future[Any]") -> None:
        """Answer the future; once that is cancelled, the waiter no longer waits."""
        super().__init__(item, link)
        self._future = future
        future.add_done_callback(self._ended)

    def settle(self, result: Any) -> None:
        """Give the future its result."""
        self.done = True
        if not self._future.done():
            self._future.set_result(result)

    def fail(self, error: Exception) -> None:
        """Have the future raise."""
        self.done = True
        if not self._future.done():
            self._future.set_exception(error)

    def _ended(self, _: object) -> None:
        self.done = True


class Batch:
    """Waiters in flight since a loop time; `lane` is None once the batch gave it up."""

    def __init__(self, waiters: list[Waiter], started: float, lane: Lane[Any, Any]) -> None:
        self.waiters = waiters
        self.started = started
        self.lane: Lane[Any, Any] | None = lane
        self.task: asyncio.Task[None] | None = None
        self.examine_at = math.inf
        """Loop time at which it has been in flight long enough to be examined."""
        self.lost = False

    async def run(self, lane: Lane[Any, Any]) -> Sequence[Any]:
        """Return the waiters' answers; none if they were already told, or the batch is lost."""
        try:
            return await _ask(lane, self.waiters)
        except ConnectionLost:
            self.lost = True
        except Exception as error:  # noqa: BLE001  a database may refuse for any reason
            await self._refused(lane, self.waiters, error)
        return ()

    async def _refused(
        self, lane: Lane[Any, Any], waiters: list[Waiter], error: Exception
    ) -> None:
        """Try the halves on their own to find the waiters at fault; tell every waiter."""
        if self.lane is None:  # the lane carries another batch by now
            self.lost = True
        elif len(waiters) == 1:
            _fail(waiters[0], error)
        else:
            half = len(waiters) // 2
            await self._try(lane, waiters[:half])
            if not self.lost:
                await self._try(lane, waiting(waiters[half:]))

    async def _try(self, lane: Lane[Any, Any], waiters: list[Waiter]) -> None:
        if not waiters:
            return
        try:
            answers = await _ask(lane, waiters)
        except ConnectionLost:
            self.lost = True
        except Exception as error:  # noqa: BLE001  the same
            await self._refused(lane, waiters, error)
        else:
            answer(waiters, answers)

    def copy(self) -> list[Waiter]:
        """Return the waiters to send again because this batch is silent; each goes again once."""
        again = [waiter for waiter in waiting(self.waiters) if not waiter.resent]
        for waiter in again:
            waiter.resent = True
            waiter.copies += 1
        return again

    def left(self) -> list[Waiter]:
        """Return the waiters to send again because this batch ended without their answer."""
        if not self.lost:
            return []
        again = waiting(self.waiters)
        if self.lane is None:  # a copy is already out, unless that was refused
            for waiter in again:
                waiter.copies -= 1
            again = [waiter for waiter in again if not waiter.copies]
            for waiter in again:
                waiter.copies = 1
        return again

    def answered(self) -> bool:
        """Whether nobody waits for it any more."""
        return all(waiter.done for waiter in self.waiters)

    def expire(self, now: float) -> float:
        """Fail the waiters that are due; return the next deadline, or that of the last waiter."""
        return expire(self.waiters, now) or self.waiters[-1].deadline

    def fail(self, error: Exception) -> None:
        """Fail the waiters that still wait."""
        for waiter in waiting(self.waiters):
            tell(waiter, error)

    def cancel(self) -> None:
        """Cancel the run on a lane that hung; `HUNG` tells the lane why."""
        if self.task is not None:
            self.task.cancel(HUNG)


def expire(waiters: Iterable[Waiter], now: float) -> float | None:
    """Fail what is due; return the next deadline, or None when nobody waits."""
    for waiter in list(waiters):
        if waiter.done:
            continue
        if waiter.deadline > now:
            return waiter.deadline
        tell(waiter, DeadlineExceeded())
    return None


def waiting(waiters: list[Waiter]) -> list[Waiter]:
    """Return those that still wait."""
    return [waiter for waiter in waiters if not waiter.done]


def answer(waiters: list[Waiter], answers: Sequence[Any]) -> None:
    """Give each waiter its answer, in order; do nothing without answers."""
    if answers:
        for waiter, result in zip(waiters, answers, strict=True):
            if isinstance(result, Exception):
                _fail(waiter, result)
            elif not waiter.done:
                tell(waiter, result)


def tell(waiter: Waiter, result: Any) -> None:
    """Settle or fail one waiter; log one that raises, so that the others get their answers."""
    try:
        if isinstance(result, Exception):
            waiter.fail(result)
        else:
            waiter.settle(result)
    except Exception:
        waiter.done = True
        log.exception("an answer could not be delivered")


def start(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, None]
) -> asyncio.Task[None]:
    """Start a task; from Python 3.12 on, its first step runs before this returns."""
    context = Context()  # a batch serves many callers: its log lines carry no caller's trace
    if sys.version_info >= (3, 12):
        return asyncio.Task(coroutine, loop=loop, context=context, eager_start=True)
    return loop.create_task(coroutine, context=context)


async def _ask(lane: Lane[Any, Any], waiters: list[Waiter]) -> Sequence[Any]:
    links = [waiter.link for waiter in waiters if waiter.link is not None]
    return await lane.run([waiter.item for waiter in waiters], links)


def _fail(waiter: Waiter, error: Exception) -> None:
    if waiter.copies > 1:
        waiter.copies -= 1
    elif not waiter.done:
        tell(waiter, error)
