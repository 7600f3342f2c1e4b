"""The children in the cluster: found, applied, pruned, and never taken from another owner.

If the API server refuses one object, that becomes a failure of this object, and the pass goes on.
An error ends the pass only if everything else would fail as well, as when the server is away.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from orders_operator.api.conditions import Reason
from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.objects import Object
from orders_operator.reconcile.apply_cache import altered, key
from orders_operator.reconcile.apply_order import needs, place
from orders_operator.reconcile.owner import MANAGER, Owner
from orders_operator.reconcile.writes import Writes
from orders_operator.resources.labels import COMPONENT, DATABASE
from orders_operator.resources.references import REFERENCED, Reference
from orders_operator.rollout.pods import Failure

if TYPE_CHECKING:
    from orders_operator.reconcile.reconcile_pass import Context
    from orders_operator.resources.kinds import Kind

LIST_SECONDS: Final = 10.0
GET_SECONDS: Final = 5.0

_OVERTAKEN: Final = {("Secret", ErrorReason.CONFLICT), ("Secret", ErrorReason.ALREADY_EXISTS)}
"""Failures that mean that somebody else was faster: another pass reads what they have made."""

log = logging.getLogger("orders_operator.children")


class Children:
    """One reconcile's view of the children of one OrderService."""

    def __init__(
        self, context: "Context", owner: Owner, kinds: Sequence["Kind"], now: datetime
    ) -> None:
        """Prepare for one reconcile.

        Args:
            context: the cluster, and what earlier passes have applied.
            owner: the OrderService.
            kinds: the kinds of children that the cluster serves.
            now: the time of the pass.

        """
        self._context = context
        self._kube = context.kube
        self._owner = owner
        self._now = now
        self._writes = Writes(context.kube, owner)
        self._kinds: Mapping[tuple[str, str], Kind] = {
            (kind.api_version, kind.kind): kind for kind in kinds
        }
        self._live: dict[tuple[str, str], Object] = {}
        self._others: dict[tuple[str, str], Object | None] = {}
        self.unlisted: dict[str, KubeError] = {}
        """The kinds whose list failed: no object of these is created or pruned."""
        self._ignored: set[str] = set()
        self.unread: dict[tuple[str, str], KubeError] = {}
        """Kinds and names of objects that could not be read, so may or may not exist."""
        self.held_back: set[tuple[str, str]] = set()
        """Kinds and names of objects that were refused, or that wait for one that was."""

    async def read(self) -> None:
        """List the objects that carry our labels.

        Raises:
            KubeError: the API server is away.

        """
        for kind in self._kinds.values():
            labels = self._owner.labels
            for obj in await self.listed(kind.api_version, kind.kind, kind.plural, labels):
                self._live[kind.kind, obj["metadata"]["name"]] = obj

    async def listed(
        self, api_version: str, kind: str, plural: str, labels: Mapping[str, str]
    ) -> list[Object]:
        """Return the objects with these labels; none if the list fails, which `unlisted` notes.

        Raises:
            KubeError: the API server is away.

        """
        namespace = self._owner.namespace
        try:
            return await self._kube.list(
                api_version, plural, namespace, labels, seconds=LIST_SECONDS
            )
        except KubeError as error:
            if error.lost:
                raise
            self.unlisted[kind] = error
            return []

    def ignore(self, kind: str) -> None:
        """Assume that no object of a kind is ours.

        Secrets and ConfigMaps are still read by name, because specs may name somebody else's.
        """
        del self.unlisted[kind]
        if kind not in REFERENCED.values():
            self._ignored.add(kind)

    async def find(self, api_version: str, kind: str, name: str) -> Object | None:
        """Return an object by its name, whoever owns it; it is read once in a pass.

        None may also mean that it could not be read: see `unread`.

        Raises:
            KubeError: the API server is away.

        """
        if (kind, name) in self._live:
            return self._live[kind, name]
        if kind not in self._ignored and (kind, name) not in self._others:
            plural = self._kinds[api_version, kind].plural
            live = None
            try:
                live = await self._kube.get(
                    api_version, plural, self._owner.namespace, name, seconds=GET_SECONDS
                )
            except KubeError as error:
                if error.lost:
                    raise
                self.unread[kind, name] = error
            self._others[kind, name] = live
            if live is not None and self._counts(kind, live):
                self._live[kind, name] = live
        return self._others.get((kind, name))

    def _counts(self, kind: str, live: Object) -> bool:
        """Whether an object that was read by name counts as a child, though no list had it.

        Its list failed, or somebody removed its labels. A Secret or ConfigMap that our owner
        reference alone marks may be somebody else's that is deleted with the OrderService.
        """
        ours = kind not in REFERENCED.values() and self._owner.controls(live)
        return ours or kind in self.unlisted

    async def find_reference(self, reference: Reference) -> Object | None:
        """Return the Secret or ConfigMap of a reference; None as for `find`."""
        return await self.find("v1", REFERENCED[reference.plural], reference.name)

    def unreadable(self, reference: Reference) -> bool:
        """Whether a Secret or ConfigMap could not be read, so may or may not exist."""
        return (REFERENCED[reference.plural], reference.name) in self.unread

    def any_unread(self, kind: str) -> bool:
        """Whether some object of a kind could not be read, so may or may not exist."""
        return any(found == kind for found, _ in self.unread)

    async def mine(self, api_version: str, kind: str, name: str) -> Object | None:
        """Return an object if it is ours, even without its labels."""
        obj = await self.find(api_version, kind, name)
        return obj if obj is not None and self._owner.owns(obj) else None

    def every(self, kind: "Kind") -> list[Object]:
        """Return the objects of a kind that are ours."""
        return [
            obj
            for (name, _), obj in self._live.items()
            if name == kind.kind and self._owner.owns(obj)
        ]

    async def apply(self, wanted: Iterable[Object]) -> list[Failure]:
        """Apply objects in the order of their kinds; return the failures, object by object.

        Raises:
            KubeError: the API server is away, the namespace is being deleted, or a Secret is no
                longer as it was read.

        """
        failures = []
        absent: list[Object] = []
        for obj in sorted(wanted, key=lambda obj: place(obj["kind"])):
            ours = obj["metadata"]["labels"][COMPONENT] != DATABASE
            if ours and any(needs(obj, other) for other in absent):
                self.held_back.add(key(obj))
                continue
            failure = await self._attempt(obj)
            if failure is None:
                continue
            failures.append(failure)
            self.held_back.add(key(obj))
            live = await self.find(obj["apiVersion"], *key(obj))
            if ours and (live is None or not self._owner.owns(live)):
                absent.append(obj)
        return failures

    async def prune(
        self, wanted: Iterable[Object], spared: Callable[[Object], bool]
    ) -> list[Failure]:
        """Delete our objects that are neither wanted nor spared, in the reverse order of applies.

        Returns:
            The failures, object by object.

        """
        keep = set(map(key, wanted))
        failures = []
        for (kind, name), obj in sorted(self._live.items(), key=lambda entry: -place(entry[0][0])):
            if (kind, name) in keep or not self._owner.owns(obj):
                continue
            if obj["metadata"].get("deletionTimestamp") or spared({**obj, "kind": kind}):
                continue
            gone = {"kind": kind, "metadata": {"name": name}, "uid": obj["metadata"]["uid"]}
            failure = await self._unless_refused(gone, self._delete)
            if failure is not None:
                failures.append(failure)
        return failures

    async def _attempt(self, wanted: Object) -> Failure | None:
        """Apply an object unless that is ruled out or needless; return the failure, if any."""
        live = await self.find(wanted["apiVersion"], *key(wanted))
        kind = wanted["kind"]
        if live is None and kind in self.unlisted:
            return refusal(kind, self.unlisted[kind])
        if key(wanted) in self.unread:
            return refusal(_named(wanted), self.unread[key(wanted)])
        if live is not None and not self._owner.owns(live):
            text = f"{_named(wanted)} exists and {self._owner.told(live)}"
            return Failure(Reason.NAME_CONFLICT, text)
        if live is not None and self._context.cache.unchanged(
            self._owner.uid, wanted, live, MANAGER
        ):
            return None
        return await self._unless_refused(wanted, self._apply)

    async def _unless_refused(self, obj: Object, write: Callable[[Object], Any]) -> Failure | None:
        """Write, unless that was refused a moment ago; return the refusal, if any."""
        refusals, uid = self._context.refusals, self._owner.uid
        failure: Failure | None = refusals.waiting(uid, obj, self._now)
        if failure is not None:
            return failure
        began = time.monotonic()
        try:
            await write(obj)
        except KubeError as error:
            if error.lost or (obj["kind"], error.reason) in _OVERTAKEN:
                raise
            failure = refusal(_named(obj), error)
            refusals.refused(uid, obj, failure, self._now, time.monotonic() - began)
            return failure
        refusals.accepted(uid, obj)
        return None

    async def _apply(self, wanted: Object) -> None:
        kind, name = key(wanted)
        live = await self.find(wanted["apiVersion"], kind, name)
        plural = self._kinds[wanted["apiVersion"], kind].plural
        if live is not None and self._owner.orphaned(live):
            live = await self._writes.adopt(plural, wanted, live)
            self._changed(kind, name, "adopted")
        applied = await self._writes.apply(plural, wanted, live)
        self._live[kind, name] = applied
        self._context.cache.applied(self._owner.uid, wanted, applied)
        if live is None:
            self._changed(kind, name, "created")
        elif altered(live, applied):
            self._changed(kind, name, "changed")

    async def _delete(self, gone: Object) -> None:
        kind, name = key(gone)
        declared = next(known for known in self._kinds.values() if known.kind == kind)
        await self._writes.delete(declared.api_version, declared.plural, name, gone["uid"])
        del self._live[kind, name]
        self._others[kind, name] = None
        self._changed(kind, name, "deleted")

    def _changed(self, kind: str, name: str, action: str) -> None:
        self._context.metrics.changes.labels(kind, action).inc()
        log.info("%s %s %s", kind, name, action)


def refusal(what: str, error: KubeError) -> Failure:
    """Return the failure for something that the API server refused."""
    return Failure(Reason.APPLY_FAILED, f"{what}: {error.message}")


def _named(obj: Object) -> str:
    return f"{obj['kind']} {obj['metadata']['name']}"
