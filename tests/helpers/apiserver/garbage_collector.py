"""The garbage collector: what belonged to an object that is gone goes as well.

It looks only when an owner that it knew is gone, as that is all that tests need.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.kube import path
from orders_operator.resources.kinds import KINDS
from tests.helpers.apiserver.deployment_controller import TEMPLATE_HASH, replica_set
from tests.helpers.apiserver.recording_client import Recording
from tests.helpers.apiserver.statefulset_controller import PROTECTION

_OWNED: Final = (
    *((it.api_version, it.plural) for it in KINDS if not it.optional),
    ("v1", "pods"),
    ("v1", "persistentvolumeclaims"),
)


class Knowing(Protocol):
    """A controller: it knows the objects that it has found when it looked last."""

    uids: set[str]


class Garbage:
    """The collector in one namespace."""

    def __init__(self, kube: Recording, namespace: str, others: Sequence[Knowing]) -> None:
        """Start with no owner known; `others` know owners beside the OrderServices."""
        self._others = others
        self._kube = kube
        self._namespace = namespace
        self._known: set[str] = set()

    async def sync(self) -> None:
        """Collect if an owner is gone."""
        found = await self._kube.list(API_VERSION, PLURAL, self._namespace)
        alive = {it["metadata"]["uid"] for it in found}
        alive = alive.union(*(it.uids for it in self._others))
        if self._known - alive:
            await self._collect(alive)
        self._known = alive

    async def _collect(self, alive: set[str]) -> None:
        """Delete what has owners, all of which are gone; a StatefulSet may go by this, too."""
        for api_version, plural in _OWNED:
            for obj in await self._kube.list(api_version, plural, self._namespace):
                metadata = obj["metadata"]
                owners = [it["uid"] for it in metadata.get("ownerReferences") or ()]
                mark = (metadata.get("labels") or {}).get(TEMPLATE_HASH)
                sets = {replica_set(uid, mark) for uid in alive} if mark else set()
                if not owners or alive & set(owners) or sets & set(owners):
                    continue
                uid, name = metadata["uid"], metadata["name"]
                await self._kube.delete(api_version, plural, self._namespace, name, uid)
                alive.discard(uid)
                if PROTECTION in (metadata.get("finalizers") or ()):
                    # What protects the claim of a pod lets go of it; the pod goes as well.
                    where = path(api_version, plural, self._namespace, name)
                    await self._kube.merge(where, {"metadata": {"finalizers": None}})
