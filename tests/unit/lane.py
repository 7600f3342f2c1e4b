"""A lane in memory, for coalescers in virtual time."""

import asyncio
from collections.abc import Sequence
from typing import Any

from orders.coalesce import Coalescer, ConnectionLost


class Refused(Exception):
    """What the lane below raises for a bad item."""


class Lane:
    """A lane in memory: a run takes `seconds`, items below zero are refused."""

    def __init__(self, *, seconds: float = 1.0) -> None:
        """Stand, with nothing sent yet."""
        self.seconds = seconds
        self.down_since: float | None = None
        self.batches: list[list[int]] = []
        self.links: list[list[Any]] = []
        self.abandoned = 0
        self.up = asyncio.Event()
        self.up.set()

    async def run(self, items: Sequence[int], links: Sequence[Any]) -> list[int | Exception]:
        """Answer each item with itself times ten, after a while."""
        self.batches.append(list(items))
        self.links.append(list(links))
        await asyncio.sleep(self.seconds)
        if not self.up.is_set():
            raise ConnectionLost
        if any(item < 0 for item in items):
            msg = "a negative item"
            raise Refused(msg)
        return [item * 10 for item in items]

    async def ready(self) -> None:
        """Return when the connection is back."""
        await self.up.wait()

    def abandon(self) -> None:
        """Count how often the connection was given up."""
        self.abandoned += 1

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
