"""Requests one URL four times a second, as a probe would, whatever it answered before."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Final

from orders_operator.load import requests
from orders_operator.load.connection import NoAnswer
from orders_operator.load.connections import Connections
from orders_operator.load.report import Watched

_PERIOD: Final = 0.25
_GOOD: Final = 200


class Watch:
    """The answers of one URL."""

    def __init__(self, url: str, timeout: float, authorities: Path | None = None) -> None:
        """Take the URL, the seconds for each answer, and a file of certificate authorities."""
        self._connections = Connections(url, timeout=timeout, renew=1, authorities=authorities)
        self._request = requests.get(url)
        self._answers: Counter[str] = Counter()
        self._longest = 0.0
        self._good_at: float | None = None
        """When it last answered 200, or when it was first asked."""
        self._until: float | None = None

    async def run(self) -> None:
        """Send requests until cancelled."""
        loop = asyncio.get_running_loop()
        self._good_at = due = loop.time()
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    group.create_task(self._ask(loop))
                    due += _PERIOD
                    await asyncio.sleep(due - loop.time())
        finally:
            self._until = loop.time()
            self._connections.close()

    def report(self, now: float) -> Watched:
        """Return the answers so far; a gap that is still open at `now` (loop's clock) counts."""
        open_gap = (self._until or now) - self._good_at if self._good_at is not None else 0.0
        return Watched(dict(self._answers), max(self._longest, open_gap))

    async def _ask(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            answer = await self._connections.ask(self._request, fresh=True)
        except NoAnswer as error:
            self._answers[error.what] += 1
            return
        self._answers[str(answer.status)] += 1
        if answer.status == _GOOD:
            now = loop.time()
            self._longest = max(self._longest, now - (self._good_at or now))
            self._good_at = now
