"""The writes of a pass to children, each within its share of the time: adopt, apply, delete."""

from typing import TYPE_CHECKING, Any

from orders_operator.client.kube import JSON_PATCH, MERGE_PATCH, path
from orders_operator.objects import Object
from orders_operator.reconcile.allowance import Allowance
from orders_operator.reconcile.moved_ports import port_patch
from orders_operator.reconcile.owner import MANAGER, Owner
from orders_operator.reconcile.replicas import KEEPER, handover

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube


class Writes:
    """Writes to the children of one OrderService, in one pass."""

    def __init__(self, kube: "Kube", owner: Owner) -> None:
        self._kube = kube
        self._owner = owner
        self._allowance = Allowance()

    async def adopt(self, plural: str, wanted: Object, live: Object) -> Object:
        """Make an orphan ours, and return it; the caller applies its content afterwards."""
        [reference] = wanted["metadata"]["ownerReferences"]
        return await self._patch(plural, wanted, self._owner.adopted(live, reference), MERGE_PATCH)

    async def apply(self, plural: str, wanted: Object, live: Object | None) -> Object:
        """Apply an object, and return the result; `live` is the object before."""
        changes = [] if live is None else port_patch(wanted, live)
        if changes:
            live = await self._patch(plural, wanted, changes, JSON_PATCH)
        step = handover(wanted, live, MANAGER) if wanted["kind"] == "Deployment" else None
        if step is not None and step.before is not None:
            await self._put(plural, step.before, KEEPER)
        applied = await self._write(plural, wanted, live)
        if step is not None and step.after is not None:
            applied = await self._put(plural, step.after, KEEPER)
        return applied

    async def delete(self, api_version: str, plural: str, name: str, uid: str) -> None:
        """Delete the object that has this uid."""
        where = (api_version, plural, self._owner.namespace, name)
        with self._allowance.share() as seconds:
            await self._kube.delete(*where, uid, seconds=seconds)

    async def _write(self, plural: str, wanted: Object, live: Object | None) -> Object:
        """Apply an object; a Secret only while it still is as it was read.

        Its password may be random, and must not replace another one that somebody else, such as a
        second operator, has made or set meanwhile.
        """
        if wanted["kind"] != "Secret":
            return await self._put(plural, wanted, MANAGER)
        if live is None:
            where = path(wanted["apiVersion"], plural, self._owner.namespace)
            by = {"fieldManager": MANAGER}
            with self._allowance.share() as seconds:
                live = await self._kube.request("POST", where, by, wanted, seconds=seconds)
        version = {"resourceVersion": live["metadata"]["resourceVersion"]}
        guarded = {**wanted, "metadata": {**wanted["metadata"], **version}}
        return await self._put(plural, guarded, MANAGER)

    async def _put(self, plural: str, wanted: Object, manager: str) -> Object:
        with self._allowance.share() as seconds:
            return await self._kube.apply(plural, wanted, manager=manager, seconds=seconds)

    async def _patch(self, plural: str, wanted: Object, change: Any, kind: str) -> Object:
        name, by = wanted["metadata"]["name"], {"fieldManager": MANAGER}
        where = path(wanted["apiVersion"], plural, self._owner.namespace, name)
        with self._allowance.share() as seconds:
            patched: Object = await self._kube.request(
                "PATCH", where, by, change, content_type=kind, seconds=seconds
            )
        return patched
