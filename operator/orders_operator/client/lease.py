"""Leader election by a Lease of coordination.k8s.io, with the timing of Kubernetes' controllers.

A holder is believed for the lease's duration since we last *saw* its record change, by our own
clock, so that clocks of two machines need not agree. Writes carry the resourceVersion that was
read, so that of two candidates one wins. A leader that could not renew in time has lost, whether
somebody else holds the lease or not.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from orders_operator.client.errors import Failure, KubeError
from orders_operator.client.kube import path

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube

API_VERSION: Final = "coordination.k8s.io/v1"
PLURAL: Final = "leases"
_TICK_SECONDS: Final = 0.05

log = logging.getLogger("orders_operator.lease")


class Timing(Struct, frozen=True):
    """Seconds; `duration` > `deadline` > `retry`."""

    duration: float = 15.0
    deadline: float = 10.0
    retry: float = 2.0


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
        self._api = api
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._timing = timing
        self._clock = clock
        self._record: dict[str, Any] | None = None
        self._seen_at = 0.0
        self._renewed_at = 0.0
        self.leading = False
        self.reached_at: float | None = None

    async def acquire(self) -> None:
        """Return when this process leads."""
        said = None
        while not await self._bounded(self._timing.deadline):
            holder = self._holder()
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
            taken = self._holder() not in {self._identity, ""}
            late = self._clock() - self._renewed_at >= self._timing.deadline
            if taken or late:
                self.leading = False
                log.error("the lease is lost to %s", self._holder() if taken else "time")
                return

    async def release(self) -> None:
        """Give the lease up, so that another need not wait for its end."""
        if not self.leading:
            return
        self.leading = False
        try:
            lease = await self._read()
            if lease is None or lease["spec"].get("holderIdentity") != self._identity:
                return
            lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
            await self._write(lease)
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
            log.warning("the lease cannot be had: no answer in time")
            return False

    async def _try(self) -> bool:
        """Take or renew the lease once; return whether it is ours."""
        started = self._clock()
        try:
            taken = await self._attempt()
        except KubeError as error:
            if error.reason not in {Failure.CONFLICT, Failure.ALREADY_EXISTS}:
                log.warning("the lease cannot be had: %s", error)
            self._record = None if error.reason is Failure.NOT_FOUND else self._record
            await self._refresh()
            return False
        self.reached_at = self._clock()
        if taken:
            self._renewed_at = started
        return taken

    async def _attempt(self) -> bool:
        lease = await self._read()
        if lease is None:
            self._note(await self._create())
            return True
        self._note(lease)
        holder = self._holder()
        duration = float(lease["spec"].get("leaseDurationSeconds") or 1)
        if holder not in {self._identity, ""} and self._clock() < self._seen_at + duration:
            return False
        spec = lease["spec"]
        if holder != self._identity:
            spec["leaseTransitions"] = int(spec.get("leaseTransitions") or 0) + 1
            spec["acquireTime"] = _now()
        spec |= self._claim()
        self._note(await self._write(lease))
        return True

    async def _refresh(self) -> None:
        """Look who holds the lease after a write that failed; not reaching it changes nothing."""
        try:
            lease = await self._read()
        except KubeError:
            return
        if lease is not None:
            self._note(lease)

    def _note(self, lease: dict[str, Any]) -> None:
        """Remember a record, and since when it is as it is."""
        if self._record is None or self._record.get("spec") != lease.get("spec"):
            self._seen_at = self._clock()
        self._record = lease

    def _pause(self) -> float:
        """Return how long to wait before the next try: not past the end of the holder's time."""
        spec = (self._record or {}).get("spec") or {}
        end = self._seen_at + float(spec.get("leaseDurationSeconds") or 0)
        left = end - self._clock()
        return left + _TICK_SECONDS if 0 < left < self._timing.retry else self._timing.retry

    def _holder(self) -> str:
        spec = (self._record or {}).get("spec") or {}
        return str(spec.get("holderIdentity") or "")

    def _claim(self) -> dict[str, Any]:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(self._timing.duration),
            "renewTime": _now(),
        }

    async def _read(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = await self._api.request("GET", self._url(), tries=1)
        except KubeError as error:
            if error.reason is Failure.NOT_FOUND:
                return None
            raise
        found.setdefault("spec", {})
        return found

    async def _create(self) -> dict[str, Any]:
        lease = {
            "apiVersion": API_VERSION,
            "kind": "Lease",
            "metadata": {
                "name": self._name,
                "namespace": self._namespace,
                "labels": {
                    "app.kubernetes.io/name": "orders-operator",
                    "app.kubernetes.io/instance": self._name,
                    "app.kubernetes.io/component": "operator",
                    "app.kubernetes.io/part-of": "orders",
                    "app.kubernetes.io/managed-by": "orders-operator",
                },
            },
            "spec": self._claim() | {"acquireTime": _now(), "leaseTransitions": 0},
        }
        url = path(API_VERSION, PLURAL, self._namespace)
        made: dict[str, Any] = await self._api.request("POST", url, body=lease, tries=1)
        return made

    async def _write(self, lease: dict[str, Any]) -> dict[str, Any]:
        written: dict[str, Any] = await self._api.request("PUT", self._url(), body=lease, tries=1)
        return written

    def _url(self) -> str:
        return path(API_VERSION, PLURAL, self._namespace, self._name)


def _now() -> str:
    """Return the time as a MicroTime."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
