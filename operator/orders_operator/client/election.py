"""Leader election among the replicas of one release, with the timing of Kubernetes' controllers.

A leader that could not renew in time has lost, whether somebody else holds the Lease or not.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.client.lease import Lease, Timing

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube

_TICK_SECONDS: Final = 0.05
_RELEASED_SECONDS: Final = 1.0

log = logging.getLogger("orders_operator.election")

TIMING: Final = Timing()
"""Fifteen, ten and two seconds, as Kubernetes' own controllers have it."""


class Election:
    """One candidate for one lease."""

    def __init__(  # noqa: PLR0913  a name has two parts, and time two
        self,
        api: "Kube",
        namespace: str,
        name: str,
        identity: str,
        timing: Timing = TIMING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Compete as `identity`, which no other process has."""
        self._lease = Lease(api, namespace, name, clock)
        self._identity = identity
        self._timing = timing
        self._clock = clock
        self._renewed_at = 0.0
        self.leading = False
        self.reached_at: float | None = None

    async def acquire(self) -> None:
        """Return when this process leads."""
        said = None
        while not await self._bounded(self._timing.deadline):
            holder = self._lease.holder
            if holder != said:
                log.info("waiting for the lease of %s", holder or "nobody")
                said = holder
            await asyncio.sleep(self._pause())
        self.leading = True
        log.info("leading as %s", self._identity)

    async def hold(self) -> None:
        """Renew; return when the lease is lost."""
        while True:
            await asyncio.sleep(self._timing.retry)
            left = self._renewed_at + self._timing.deadline - self._clock()
            if await self._bounded(max(left, 0.001)):
                continue
            taken = self._lease.holder not in {self._identity, ""}
            late = self._clock() - self._renewed_at >= self._timing.deadline
            if taken or late:
                self.leading = False
                log.error("the lease is lost to %s", self._lease.holder if taken else "time")
                return

    async def release(self) -> None:
        """Give the lease up, so that another need not wait for its end."""
        if not self.leading:
            return
        self.leading = False
        try:
            await self._lease.read()
            if self._lease.holder != self._identity:
                return
            await self._lease.leave("", _RELEASED_SECONDS)
        except KubeError as error:
            log.warning("the lease was not released: %s", error)
        else:
            log.info("the lease is released")

    async def _bounded(self, seconds: float) -> bool:
        """Try once, as long as the time is worth it."""
        try:
            async with asyncio.timeout(seconds):
                return await self._try()
        except TimeoutError:
            log.warning("the lease cannot be acquired: no answer in time")
            return False

    async def _try(self) -> bool:
        """Take or renew the lease once; return whether it is ours."""
        started = self._clock()
        try:
            taken = await self._attempt()
        except KubeError as error:
            if error.reason not in {ErrorReason.CONFLICT, ErrorReason.ALREADY_EXISTS}:
                log.warning("the lease cannot be acquired: %s", error)
            await self._refresh()
            return False
        self.reached_at = self._clock()
        if taken:
            self._renewed_at = started
        return taken

    async def _attempt(self) -> bool:
        await self._lease.read()
        if self._lease.holder != self._identity and self._lease.record.live(self._clock()):
            return False
        await self._lease.take(self._identity, self._timing.duration)
        return True

    async def _refresh(self) -> None:
        """Look who holds the lease after a write that failed; not reaching it changes nothing."""
        try:
            await self._lease.read()
        except KubeError:
            return

    def _pause(self) -> float:
        """Return how long to wait before the next try: not past the end of the holder's time."""
        left = self._lease.record.ends_at - self._clock()
        return left + _TICK_SECONDS if 0 < left < self._timing.retry else self._timing.retry
