"""Leader election among the replicas of one release, with the timing of Kubernetes' controllers.

A leader that could not renew its Lease in time has lost it, whether another one holds it or not.
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
"""15, 10 and 2 seconds, as in Kubernetes' own controllers."""


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
        """Wait until this process leads."""
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
        """Renew the Lease until it is lost; then return."""
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
        """Give up the Lease, so that another replica need not wait until it expires."""
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
        """Try to take or renew the Lease within so many seconds; return whether it is ours."""
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
        """Read who holds the Lease after a failed write; another failure changes nothing."""
        try:
            await self._lease.read()
        except KubeError:
            return

    def _pause(self) -> float:
        """Return the seconds until the next try, but not beyond the end of the holder's time."""
        left = self._lease.record.ends_at - self._clock()
        return left + _TICK_SECONDS if 0 < left < self._timing.retry else self._timing.retry
