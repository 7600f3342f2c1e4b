"""Lanes in memory, for coalescers in virtual time."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from orders.batch import ConnectionLost, Waiter
from orders.coalesce import Coalescer

Working = bool | None
"""What a lane may answer when it is asked whether a run goes on."""


class Refused(Exception):
    """What the lane below raises for a bad item."""


class Told(Waiter):
    """A waiter that keeps what it was told, and when; `then` happens as it is told."""

    def __init__(self, item: int, then: Callable[[], None] = lambda: None) -> None:
        """Wait for the answer to `item`."""
        super().__init__(item)
        self.answers: list[int | Exception] = []
        self.at = 0.0
        self._then = then

    def settle(self, result: int) -> None:
        """Keep the answer."""
        self._told(result)

    def fail(self, error: Exception) -> None:
        """Keep the reason."""
        self._told(error)

    def _told(self, answer: int | Exception) -> None:
        self.done = True
        self.answers.append(answer)
        self.at = asyncio.get_running_loop().time()
        self._then()


class Lane:
    """A lane in memory: a run takes `seconds`, items below zero are refused.

    With `seconds` None a run ends at once, without giving way to anything else.

    While it is silent a run gets no answer, and ends only when its connection is replaced.
    """

    def __init__(self, *, seconds: float | None = 1.0, working: Working = True) -> None:
        """Stand, with nothing sent yet; `working` is the answer to whether a run goes on."""
        self.seconds = seconds
        self.working = working
        self.silent = False
        self.down_since: float | None = None
        self.batches: list[list[int]] = []
        self.links: list[list[Any]] = []
        self.out: Counter[int] = Counter()
        self.abandoned = 0
        self.up = asyncio.Event()
        self.up.set()
        self._replaced = asyncio.Event()
        self.others: Sequence[Lane] = ()
        """Those that are pinged when this one is replaced, as the store does."""

    async def run(self, items: Sequence[int], links: Sequence[Any]) -> list[int | Exception]:
        """Answer each item with itself times ten, after a while."""
        self.batches.append(list(items))
        self.links.append(list(links))
        self.out.update(items)
        silent, replaced = self.silent, self._replaced
        try:
            if self.seconds is not None:
                await asyncio.sleep(self.seconds)
            if silent:
                await replaced.wait()
        finally:
            self.out.subtract(items)
        if silent or (replaced is self._replaced and not self.up.is_set()):
            raise ConnectionLost
        if any(item < 0 for item in items):
            msg = "a negative item"
            raise Refused(msg)
        return [item * 10 for item in items]

    async def ready(self) -> None:
        """Return when the connection is back."""
        await self.up.wait()

    async def at_work(self) -> bool | None:
        """Say whether a run goes on, after a while."""
        await asyncio.sleep(0.1)
        return self.working

    def abandon(self) -> None:
        """Replace the connection; the next one stands, and answers, a second later."""
        self.abandoned += 1
        self.silent = False
        if self.down_since is None:
            self.lose()
            asyncio.get_running_loop().call_later(1, self.restore)
        replaced, self._replaced = self._replaced, asyncio.Event()
        asyncio.get_running_loop().call_later(2, replaced.set)
        for other in self.others:
            other.check()

    def check(self) -> None:
        """Find out whether an idle connection stands; until then it is down."""
        if self.down_since is None and not any(self.out.values()):
            self.lose()
            asyncio.get_running_loop().call_later(0.8, self._checked)

    def _checked(self) -> None:
        if self.silent:
            self.down_since = None
            self.abandon()
        else:
            self.restore()

    def lose(self) -> None:
        """Lose the connection."""
        self.up.clear()
        self.down_since = asyncio.get_running_loop().time()

    def restore(self) -> None:
        """Have the connection back."""
        self.down_since = None
        self.up.set()


def coalescer(*lanes: Lane, **bounds: Any) -> Coalescer[int, int]:
    """A coalescer with a deadline of 5 virtual seconds."""
    return Coalescer(lanes, **{"timeout": 5.0, **bounds})
