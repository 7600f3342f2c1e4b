"""Starts each request when it is due.

The loop is open: requests start at fixed times, whatever became of earlier ones, and their latency
counts from when they were due. So a service that stalls is charged with every request that it kept
waiting. The number of requests in flight is limited; one beyond the limit fails as `NotStarted`.
"""

import asyncio
import math
import resource
import time
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from orders_operator.load import schedule
from orders_operator.load.caller import Caller
from orders_operator.load.ledger import Entry, Ledger
from orders_operator.load.report import Report
from orders_operator.load.settings import LoadSettings
from orders_operator.load.tally import Tally
from orders_operator.load.watch import Watch

IN_FLIGHT: Final = 10_000
"""How many requests may be in flight, if the process may have enough sockets."""

_OTHER_FILES: Final = 100
_BATCH: Final = 64


class Load:
    """One load, which runs once."""

    def __init__(self, settings: LoadSettings) -> None:
        self._settings = settings
        self._ledger = Ledger(uuid.uuid4().hex[:12])
        self._tally = Tally(settings, self._ledger)
        self._watches = {
            url: Watch(url, settings.timeout, settings.ca_file) for url in settings.watch
        }
        self._in_flight: dict[int, asyncio.Task[None]] = {}
        self._pacing: asyncio.Task[None] | None = None
        self._stopped = False
        self._started_at = datetime.now(UTC)
        self._ended_at: datetime | None = None

    async def run(self) -> None:
        """Run the load, until its last request has ended."""
        self._started_at = datetime.now(UTC)
        caller = Caller(self._settings, self._ledger, self._tally)
        async with asyncio.TaskGroup() as asking:
            watches = [asking.create_task(watch.run()) for watch in self._watches.values()]
            async with asyncio.TaskGroup() as sending:
                self._pacing = sending.create_task(self._pace(caller, sending))
                if self._stopped:
                    self._pacing.cancel()
            for watch in watches:
                watch.cancel()
        caller.close()
        self._tally.sum_up(before=math.inf)
        self._ended_at = datetime.now(UTC)

    def stop(self) -> None:
        """Start no more requests; those in flight fail unless they end within a try's timeout."""
        if self._stopped or self._ended_at is not None:
            return
        self._stopped = True
        if self._pacing is not None:
            self._pacing.cancel()
            asyncio.get_running_loop().call_later(self._settings.timeout, self._cut_off)

    def report(self) -> Report:
        """Return the report so far."""
        now = time.monotonic()
        watched = {url: watch.report(now) for url, watch in self._watches.items()}
        return self._tally.report(self._started_at, self._ended_at, watched)

    def ledger(self) -> Iterable[Entry]:
        """Yield every acknowledged order, and every create whose outcome is unknown."""
        return self._ledger.entries()

    async def _pace(self, caller: Caller, sending: asyncio.TaskGroup) -> None:
        rate, total, limit = self._settings.rate, schedule.total(self._settings), _capacity()
        number = second = 0
        while number < total:
            await asyncio.sleep(max(number / rate - caller.now(), 0.0))
            for _ in range(_BATCH):
                due, now = number / rate, caller.now()
                if due > now or number >= total:
                    break
                self._tally.started(late=now - due)
                if len(self._in_flight) < limit:
                    call = self._call(caller, number, due)
                    self._in_flight[number] = sending.create_task(call)
                else:
                    caller.leave_out(number, due)
                number += 1
            if number / rate >= second + 1:
                second = int(number / rate)
                self._tally.sum_up(before=next(iter(self._in_flight), number) / rate)

    async def _call(self, caller: Caller, number: int, due: float) -> None:
        try:
            await caller.call(number, due)
        finally:
            del self._in_flight[number]

    def _cut_off(self) -> None:
        for call in self._in_flight.values():
            call.cancel()


def _capacity() -> int:
    """Return how many requests may be in flight, after raising the process's limit of files.

    Each may have a connection, and there may be as many idle ones.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * IN_FLIGHT + _OTHER_FILES
    allowed = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max((allowed - _OTHER_FILES) // 2, 1)
