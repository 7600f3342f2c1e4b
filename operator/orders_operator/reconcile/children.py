"""The children in the cluster: looked up, applied, pruned, and never taken from somebody else."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from orders_operator.api.conditions import Reason
from orders_operator.api.spec import KIND
from orders_operator.client.errors import Failure, KubeError
from orders_operator.client.kube import path
from orders_operator.reconcile.apply_cache import ApplyCache
from orders_operator.reconcile.observed import Problem
from orders_operator.reconcile.replicas import KEEPER, handover
from orders_operator.resources.labels import COMPONENT, DATABASE, MANAGED_BY
from orders_operator.resources.references import REFERENCED, Reference

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube
    from orders_operator.resources.kinds import Kind
    from orders_operator.telemetry.metrics import Metrics

Object = dict[str, Any]

MANAGER: Final = "orders-operator"
_ORDER: Final = {
    "ServiceAccount": 0,
    "Secret": 1,
    "ConfigMap": 2,
    "Deployment": 4,
    "HorizontalPodAutoscaler": 5,
    "HTTPRoute": 6,
}
_OTHERS: Final = 3
"""What pods need comes before them; an autoscaler that came first would change
the replicas while the Deployment's are handed over to it, and a route needs its Services."""

_NEEDED: Final[dict[str, set[str]]] = {
    "HTTPRoute": {"Service"},
    "ControllerRevision": {"ConfigMap"},
    "Deployment": {"ControllerRevision", "ConfigMap"},
}
"""What is not applied where one of these was refused: a route would lead to somebody else's
Service, a revision would name a copy that is not there, and new pods would come without what they
read, or without a way back."""

_NOT_OURS: Final = frozenset({Failure.UNAVAILABLE, Failure.UNAUTHORIZED, Failure.TERMINATING})
"""Failures that say nothing about the object that was applied."""

_OVERTAKEN: Final = {("Secret", Failure.CONFLICT), ("Secret", Failure.ALREADY_EXISTS)}
"""Failures by which somebody else was faster: another pass takes what they have made."""

log = logging.getLogger("orders_operator.children")


class Owner(Struct, frozen=True):
    """The OrderService whose children these are."""

    namespace: str
    name: str
    uid: str

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels that every child has."""
        return {
            "app.kubernetes.io/instance": self.name,
            "app.kubernetes.io/managed-by": MANAGED_BY,
        }

    def controls(self, obj: Object) -> bool:
        """Whether an object is this OrderService's, by its controller reference."""
        return any(
            it.get("controller") and it.get("uid") == self.uid
            for it in obj["metadata"].get("ownerReferences") or []
        )


class Children:
    """One reconcile's view of the children of one OrderService."""

    def __init__(
        self,
        kube: "Kube",
        metrics: "Metrics",
        owner: Owner,
        kinds: Sequence["Kind"],
        cache: ApplyCache,
    ) -> None:
        """
        Prepare for one reconcile.

        Args:
            kube: where they are.
            metrics: where changes are counted.
            owner: whose they are.
            kinds: all kinds that the cluster serves.
            cache: what the reconciles before have applied.

        """
        self._cache = cache
        self._kube = kube
        self._metrics = metrics
        self._owner = owner
        self._kinds: Mapping[tuple[str, str], Kind] = {
            (kind.api_version, kind.kind): kind for kind in kinds
        }
        self._live: dict[tuple[str, str], Object] = {}
        self._others: dict[tuple[str, str], Object | None] = {}
        self.held_back: set[tuple[str, str]] = set()
        """Kinds and names of what was refused, or waits for what was."""

    async def look(self) -> None:
        """List what carries our labels."""
        for kind in self._kinds.values():
            found = await self._kube.list(
                kind.api_version, kind.plural, self._owner.namespace, self._owner.labels
            )
            for obj in found:
                self._live[kind.kind, obj["metadata"]["name"]] = obj

    async def find(self, api_version: str, kind: str, name: str) -> Object | None:
        """Return an object by its name, whoever owns it; asked for once in a pass."""
        if (kind, name) in self._live:
            return self._live[kind, name]
        if (kind, name) not in self._others:
            plural = self._kinds[api_version, kind].plural
            found = await self._kube.get(api_version, plural, self._owner.namespace, name)
            self._others[kind, name] = found
        return self._others[kind, name]

    async def find_reference(self, reference: Reference) -> Object | None:
        """Return the Secret or ConfigMap that is referred to."""
        return await self.find("v1", REFERENCED[reference.plural], reference.name)

    async def mine(self, api_version: str, kind: str, name: str) -> Object | None:
        """Return an object if it is ours, whatever became of its labels."""
        obj = await self.find(api_version, kind, name)
        return obj if obj is not None and self._owner.controls(obj) else None

    def every(self, kind: "Kind") -> list[Object]:
        """Return the objects of a kind that are ours."""
        return [
            obj
            for (name, _), obj in self._live.items()
            if name == kind.kind and self._owner.controls(obj)
        ]

    async def apply(self, wanted: Iterable[Object]) -> list[Problem]:
        """Apply objects; return what went wrong, object by object.

        Raises:
            KubeError: the API server is away, the namespace is being deleted, or a Secret is no
                longer as it was read.

        """
        problems = []
        refused: set[str] = set()
        for obj in sorted(wanted, key=_order):
            ours = obj["metadata"]["labels"][COMPONENT] != DATABASE
            if ours and refused & _NEEDED.get(obj["kind"], set()):
                self.held_back.add(_key(obj))
                continue
            try:
                problem = await self._apply(obj)
            except KubeError as error:
                if error.reason in _NOT_OURS or (obj["kind"], error.reason) in _OVERTAKEN:
                    raise
                problem = Problem(Reason.APPLY_FAILED, f"{_named(obj)}: {error.message}")
            if problem is not None:
                problems.append(problem)
                self.held_back.add(_key(obj))
                if ours:
                    refused.add(obj["kind"])
        return problems

    async def prune(self, wanted: Iterable[Object], spared: Callable[[Object], bool]) -> None:
        """Delete those of ours that are not wanted, and not spared; the last applied first."""
        keep = set(map(_key, wanted))
        last = sorted(self._live.items(), key=lambda it: -_ORDER.get(it[0][0], _OTHERS))
        for (kind, name), obj in last:
            if (kind, name) in keep or not self._owner.controls(obj):
                continue
            if obj["metadata"].get("deletionTimestamp") or spared({**obj, "kind": kind}):
                continue
            declared = next(it for it in self._kinds.values() if it.kind == kind)
            await self._kube.delete(
                declared.api_version,
                declared.plural,
                self._owner.namespace,
                name,
                obj["metadata"]["uid"],
            )
            del self._live[kind, name]
            self._others[kind, name] = None
            self._changed(kind, name, "deleted")

    async def _apply(self, wanted: Object) -> Problem | None:
        kind, name = wanted["kind"], wanted["metadata"]["name"]
        live = await self.find(wanted["apiVersion"], kind, name)
        if live is not None and not self._owner.controls(live):
            return Problem(
                Reason.NAME_CONFLICT, f"{_named(wanted)} exists and {_whose(live, self._owner)}"
            )
        if live is not None and self._cache.unchanged(self._owner.uid, wanted, live, MANAGER):
            return None
        plural = self._kinds[wanted["apiVersion"], kind].plural
        step = handover(wanted, live, MANAGER) if kind == "Deployment" else None
        if step is not None and step.before is not None:
            await self._kube.apply(plural, step.before, manager=KEEPER)
        applied = await self._write(plural, wanted, live)
        if step is not None and step.after is not None:
            applied = await self._kube.apply(plural, step.after, manager=KEEPER)
        self._live[kind, name] = applied
        self._cache.applied(self._owner.uid, wanted, applied)
        if live is None:
            self._changed(kind, name, "created")
        elif altered(live, applied):
            self._changed(kind, name, "changed")
        return None

    async def _write(self, plural: str, wanted: Object, live: Object | None) -> Object:
        """Apply an object; a Secret only where it is still as it was read.

        Its password may be drawn at random, and must not replace another that somebody else, a
        second operator for one, has drawn or set meanwhile.
        """
        if wanted["kind"] != "Secret":
            return await self._kube.apply(plural, wanted, manager=MANAGER)
        if live is None:
            where = path(wanted["apiVersion"], plural, self._owner.namespace)
            live = await self._kube.request("POST", where, {"fieldManager": MANAGER}, wanted)
        version = {"resourceVersion": live["metadata"]["resourceVersion"]}
        guarded = {**wanted, "metadata": {**wanted["metadata"], **version}}
        return await self._kube.apply(plural, guarded, manager=MANAGER)

    def _changed(self, kind: str, name: str, action: str) -> None:
        self._metrics.changes.labels(kind, action).inc()
        log.info("%s %s %s", kind, name, action)


def _key(obj: Object) -> tuple[str, str]:
    return obj["kind"], obj["metadata"]["name"]


def _order(obj: Object) -> int:
    return _ORDER.get(obj["kind"], _OTHERS)


def altered(before: Object, after: Object) -> bool:
    """Whether an apply did anything: a Deployment's status moves on in between by itself."""
    return _content(before) != _content(after)


def _content(obj: Object) -> Object:
    kept = {name: value for name, value in obj.items() if name != "status"}
    metadata = obj["metadata"].items()
    moving = {"resourceVersion", "managedFields"}
    return kept | {"metadata": {name: it for name, it in metadata if name not in moving}}


def _named(obj: Object) -> str:
    return f"{obj['kind']} {obj['metadata']['name']}"


def _whose(obj: Object, us: Owner) -> str:
    """Say who owns an object, as far as it says so itself."""
    for owner in obj["metadata"].get("ownerReferences") or []:
        if owner.get("controller"):
            if (owner["kind"], owner["name"]) == (KIND, us.name):
                return "goes with an OrderService of this name that was deleted"
            return f"is controlled by {owner['kind']} {owner['name']}"
    return "was not made for this OrderService"
