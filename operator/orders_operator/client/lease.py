"""One Lease of coordination.k8s.io: its record, how long that is believed, and how to take it.

A holder is believed for the Lease's duration from when we last *saw* its record change, by our own
clock, so that the clocks of two machines need not agree. This holds for a deleted Lease as well:
its holder does not know of the deletion yet. Writes carry the resourceVersion that was read, so
only one of two candidates succeeds.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.client.kube import path
from orders_operator.objects import Object

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube

API_VERSION: Final = "coordination.k8s.io/v1"
PLURAL: Final = "leases"

Spec = Mapping[str, Any]


class Timing(Struct, frozen=True):
    """Seconds; `duration` > `deadline` > `retry`."""

    duration: float = 15.0
    deadline: float = 10.0
    retry: float = 2.0


def release_of(holder: str) -> str:
    """Return the release of a holder `NAMESPACE/NAME/POD`: `NAMESPACE/NAME`."""
    return holder.rpartition("/")[0]


def named(holder: str) -> str:
    """Return a holder's name for logs: its release, if it has one."""
    return release_of(holder) or holder


class Record:
    """What a Lease says, and since when, by our own clock."""

    def __init__(self) -> None:
        self.spec: Spec = {}
        self.since = 0.0
        """Since when its release has certainly held it without a gap that others could have
        seen."""
        self._changed_at = 0.0
        self._changed_after: float | None = None
        self._read_at: float | None = None

    def note(self, spec: Spec, asked_at: float, now: float, *, wrote: bool = False) -> None:
        """Note what was read or written: it took effect between its request and now."""
        if spec != self.spec:
            same = release_of(str(spec.get("holderIdentity"))) == release_of(self.holder)
            if not (same and self._kept(now)):
                self.since = now
            self.spec = dict(spec)
            self._changed_at, self._changed_after = now, asked_at if wrote else self._read_at
        self._read_at = asked_at

    @property
    def holder(self) -> str:
        """The holder; empty if nobody holds it."""
        return str(self.spec.get("holderIdentity") or "")

    @property
    def duration(self) -> float:
        """The seconds for which its holder is believed."""
        return float(self.spec.get("leaseDurationSeconds") or 1)

    @property
    def ends_at(self) -> float:
        """The time from which its holder is no longer believed."""
        return self._changed_at + self.duration

    def live(self, now: float) -> bool:
        """Whether somebody may hold it."""
        return bool(self.holder) and now < self.ends_at

    def _kept(self, now: float) -> bool:
        """Whether it was renewed so recently that nobody can have seen it expire."""
        after = self._changed_after
        return after is not None and now < after + self.duration


class Lease:
    """One Lease on the API server."""

    def __init__(
        self,
        api: "Kube",
        namespace: str,
        name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is read before `read`."""
        self.namespace = namespace
        self.name = name
        self.record = Record()
        self._api = api
        self._clock = clock
        self._object: Object | None = None

    def __str__(self) -> str:
        """Return its name for logs."""
        return f"{self.namespace}/{self.name}"

    @property
    def holder(self) -> str:
        """The holder, as it was last read."""
        return self.record.holder

    async def read(self) -> None:
        """Read it; a deleted Lease counts as it was last read until it would have expired."""
        asked_at = self._clock()
        try:
            live = await self._api.request("GET", self._url(), tries=1)
        except KubeError as error:
            if error.reason is not ErrorReason.NOT_FOUND:
                raise
            self._object = None
        else:
            self._note(live, asked_at)

    async def take(self, identity: str, duration: float) -> None:
        """Take or renew it.

        Raises:
            KubeError: somebody else wrote it since it was read, or the API server cannot be
                reached.

        """
        spec = dict(self.record.spec)
        if self.holder != identity:
            spec["leaseTransitions"] = int(spec.get("leaseTransitions") or 0) + bool(spec)
            spec["acquireTime"] = _now()
        await self._write(
            spec
            | {
                "holderIdentity": identity,
                "leaseDurationSeconds": int(duration),
                "renewTime": _now(),
            }
        )

    async def leave(self, holder: str, duration: float) -> None:
        """Let it expire soon, or give it to nobody."""
        changed = {"holderIdentity": holder, "leaseDurationSeconds": int(duration)}
        await self._write({**self.record.spec, **changed})

    async def _write(self, spec: Spec) -> None:
        asked_at = self._clock()
        written = await self._replace(spec) or await self._create(spec)
        self._note(written, asked_at, wrote=True)

    async def _replace(self, spec: Spec) -> Object | None:
        """Write the Lease that was read; return None if it did not exist, or no longer does."""
        if self._object is None:
            return None
        body = {**self._object, "spec": spec}
        try:
            written: Object = await self._api.request("PUT", self._url(), body=body, tries=1)
        except KubeError as error:
            if error.reason is not ErrorReason.NOT_FOUND:
                raise
            self._object = None
            return None
        return written

    async def _create(self, spec: Spec) -> Object:
        metadata = self._metadata()
        body = {"apiVersion": API_VERSION, "kind": "Lease", "metadata": metadata, "spec": spec}
        url = path(API_VERSION, PLURAL, self.namespace)
        made: Object = await self._api.request("POST", url, body=body, tries=1)
        return made

    def _note(self, live: Object, asked_at: float, *, wrote: bool = False) -> None:
        self._object = live
        self.record.note(live.get("spec") or {}, asked_at, self._clock(), wrote=wrote)

    def _metadata(self) -> Object:
        labels = {
            "app.kubernetes.io/name": "orders-operator",
            "app.kubernetes.io/instance": self.name,
            "app.kubernetes.io/component": "operator",
            "app.kubernetes.io/part-of": "orders",
            "app.kubernetes.io/managed-by": "orders-operator",
        }
        return {"name": self.name, "namespace": self.namespace, "labels": labels}

    def _url(self) -> str:
        return path(API_VERSION, PLURAL, self.namespace, self.name)


def _now() -> str:
    """Return the time as a MicroTime."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
