"""The claim of a release on a scope in which only one release may work: one Lease.

Its holder is `NAMESPACE/NAME/POD`, so that anybody can read which release works there. Within a
release only the leader works, so it takes a Lease of its own release at once, but another
release's only once that has expired. This takes longer than with the Lease by which a release
elects, so that a crash of its leader, an upgrade or a drain hands nothing to another release.

Where others may work while there is no Lease, a release that takes it waits for a grace period
before it works: in that time they see the Lease, and end what they have begun.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.client.lease import Lease, Timing, named, release_of

TIMING: Final = Timing(duration=30.0, deadline=20.0, retry=5.0)
LEFT_SECONDS: Final = 10.0
"""How long a claim that its process has left waits for the next process of the release."""
_TICK_SECONDS: Final = 0.05
_RACE: Final = frozenset({ErrorReason.CONFLICT, ErrorReason.ALREADY_EXISTS})

log = logging.getLogger("orders_operator.claim")


class Claim:
    """One Lease, as seen by one process of one release."""

    def __init__(  # noqa: PLR0913  who, what, and time three times
        self,
        lease: Lease,
        release: str,
        pod: str,
        *,
        grace: float = 0.0,
        timing: Timing = TIMING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is claimed before `keep`.

        Args:
            lease: the Lease to claim.
            release: `NAMESPACE/NAME` of this release.
            pod: the name of this process.
            grace: the seconds from the release's claim until it works.
            timing: how long the claim lasts, and how often it is renewed.
            clock: returns seconds; tests pass their own.

        """
        self.lease = lease
        self.error: str | None = None
        """Why the Lease could not be read or written, if the last attempt failed."""
        self._release = release
        self._identity = f"{release}/{pod}"
        self._grace = grace
        self._timing = timing
        self._clock = clock
        self._renewed_at: float | None = None
        self._said: str | None = None

    @property
    def taken(self) -> bool:
        """Whether this process has the claim, and renewed it in time."""
        at = self._renewed_at
        return at is not None and self._clock() < at + self._timing.deadline

    @property
    def held(self) -> bool:
        """Whether this process may work in the scope now."""
        return self.taken and self._clock() >= self._begins_at

    @property
    def other(self) -> str | None:
        """The holder of the claim, if that is another release."""
        record = self.lease.record
        foreign = release_of(record.holder) != self._release
        return named(record.holder) if foreign and record.live(self._clock()) else None

    @property
    def pause(self) -> float:
        """The seconds until the claim must be checked again: to renew it, begin, or end."""
        now = self._clock()
        ends = [] if self._renewed_at is None else [self._renewed_at + self._timing.deadline]
        times = (self._begins_at, self.lease.record.ends_at, *ends)
        due = [at - now + _TICK_SECONDS for at in times if at > now]
        return min([self._timing.retry, *due])

    async def run(self, leads: asyncio.Event, tell: Callable[[], None]) -> None:
        """Check who has the claim, or keep it once this process leads; `tell` after each try."""
        while True:
            await (self.keep() if leads.is_set() else self.read())
            tell()
            if leads.is_set():
                await asyncio.sleep(self.pause)
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(leads.wait(), self.pause)

    async def read(self) -> None:
        """Read who has the claim."""
        await self._bounded(self.lease.read())

    async def keep(self) -> None:
        """Take or renew the claim, unless another release has it."""
        started = self._clock()
        if await self._bounded(self._keep()) and self.other is None:
            self._renewed_at = started
            self._say(f"holding the Lease {self.lease}")
        elif self.other is not None:
            self._renewed_at = None
            self._say(f"the Lease {self.lease} is held by {self.other}")

    async def leave(self) -> None:
        """Let the claim expire soon, unless the next process of this release takes it."""
        if self.taken:
            self._renewed_at = None
            await self._bounded(self.lease.leave(self._identity, LEFT_SECONDS))

    async def _keep(self) -> None:
        if not self.taken:
            await self.lease.read()
        if self.other is None:
            await self.lease.take(self._identity, self._timing.duration)

    async def _bounded(self, call: Awaitable[None]) -> bool:
        """Try once, for `retry` seconds at most; return whether it succeeded."""
        try:
            async with asyncio.timeout(self._timing.retry):
                await call
        except TimeoutError:
            self._fail("no answer in time")
        except KubeError as error:
            if error.reason not in _RACE:
                self._fail(str(error))
            await self._read_again()
        else:
            self.error = None
            return True
        return False

    async def _read_again(self) -> None:
        """Read who has the claim after a failed attempt; another failure changes nothing."""
        with contextlib.suppress(KubeError, TimeoutError):
            async with asyncio.timeout(self._timing.retry):
                await self.lease.read()

    def _fail(self, why: str) -> None:
        self.error = f"the Lease {self.lease} cannot be acquired: {why}"
        self._say(self.error, logging.WARNING)

    def _say(self, words: str, level: int = logging.INFO) -> None:
        if words != self._said:
            log.log(level, "%s", words)
            self._said = words

    @property
    def _begins_at(self) -> float:
        return self.lease.record.since + self._grace
