"""One batch: the calls that share a statement, the lane that it runs on, and its end.

A call may be out twice: a batch whose lane went silent is sent again on another one, which is safe
because orders have ids. Whichever copy succeeds first answers. What the database refuses counts
only once no other copy is out, for that one may still succeed. This module knows no SQL.
"""

import asyncio
import sys
from collections.abc import Coroutine, Iterable, Sequence
from contextvars import Context
from typing import Any, Final, Protocol, TypeVar

from msgspec import Struct

from orders.errors import DeadlineExceeded

ItemT_contra = TypeVar("ItemT_contra", contravariant=True)
ResultT_co = TypeVar("ResultT_co", covariant=True)


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
        """Answer every item, in order; an exception among the answers is raised to its caller.

        Raises:
            ConnectionLost: the batch is sent again on a lane that stands.
            Exception: the batch was refused; its halves are tried on their own.

        """

    async def ready(self) -> None:
        """Return when the connection stands."""

    async def at_work(self) -> bool | None:
        """Whether the server still works on the run; None when nobody answers the question."""

    def abandon(self) -> None:
        """Replace the connection; a run that is out may still end on the old one."""


class Entry(Struct, eq=False):
    """One caller that waits."""

    item: Any
    future: asyncio.Future[Any]
    deadline: float
    link: Any
    copies: int = 1  # batches that it is in, on their way or in the queue; 2 at most
    resent: bool = False


class Batch(Struct, eq=False):
    """Calls on their way since a loop time; without a lane once that one was given up."""

    entries: list[Entry]
    started: float
    lane: Lane[Any, Any] | None
    examined: bool = False
    lost: bool = False

    async def run(self, lane: Lane[Any, Any], entries: list[Entry]) -> None:
        """Run entries of this batch to the end: answered, refused, or lost."""
        while entries:
            links = [entry.link for entry in entries if entry.link is not None]
            try:
                results = await lane.run([entry.item for entry in entries], links)
            except ConnectionLost:
                self.lost = True
                return
            except Exception as error:  # noqa: BLE001  what a database may refuse is not ours to list
                if self.lane is None:  # the lane carries another batch by now
                    self.lost = True
                    return
                if len(entries) == 1:
                    _refuse(entries[0], error)
                    return
                half = len(entries) // 2
                await self.run(lane, entries[:half])
                if self.lost:
                    return
                entries = waiting(entries[half:])
            else:
                _answer(entries, results)
                return

    def copy(self) -> list[Entry]:
        """Return the calls to send again because nothing is heard of this batch: each once."""
        again = [entry for entry in waiting(self.entries) if not entry.resent]
        for entry in again:
            entry.resent = True
            entry.copies += 1
        return again

    def left(self) -> list[Entry]:
        """Return the calls to send again because this batch ended without their answer."""
        if not self.lost:
            return []
        again = waiting(self.entries)
        if self.lane is None:  # its copy is on its way already, unless that was refused
            for entry in again:
                entry.copies -= 1
            again = [entry for entry in again if not entry.copies]
            for entry in again:
                entry.copies = 1
        return again

    def answered(self) -> bool:
        """Whether nobody waits for it any more."""
        return all(entry.future.done() for entry in self.entries)

    def expire(self, now: float) -> float:
        """Fail the calls that are due; return when the next is, or the last one was."""
        return expire(self.entries, now) or self.entries[-1].deadline


def expire(entries: Iterable[Entry], now: float) -> float | None:
    """Fail what is due; return the next deadline, or None when nobody waits."""
    for entry in entries:
        if entry.future.done():
            continue
        if entry.deadline > now:
            return entry.deadline
        entry.future.set_exception(DeadlineExceeded("the database did not answer in time"))
    return None


def waiting(entries: list[Entry]) -> list[Entry]:
    """Return the calls that somebody still waits for."""
    return [entry for entry in entries if not entry.future.done()]


def start(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, None]
) -> asyncio.Task[None]:
    """Start a task; where Python can (3.12), its first step runs before this returns."""
    context = Context()  # a batch is of many callers: its log lines bear no one's trace
    if sys.version_info >= (3, 12):
        return asyncio.Task(coroutine, loop=loop, context=context, eager_start=True)
    return loop.create_task(coroutine, context=context)


def _answer(entries: list[Entry], results: Sequence[Any]) -> None:
    for entry, result in zip(entries, results, strict=True):
        if isinstance(result, Exception):
            _refuse(entry, result)
        elif not entry.future.done():
            entry.future.set_result(result)


def _refuse(entry: Entry, error: Exception) -> None:
    if entry.copies > 1:
        entry.copies -= 1
    elif not entry.future.done():
        entry.future.set_exception(error)
