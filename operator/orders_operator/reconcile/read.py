"""Read: everything that a pass looks at, once."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from orders_operator.api.status import FailedRevision, RolloutStatus
from orders_operator.reconcile.children import Children, Owner
from orders_operator.reconcile.reconcile_pass import Pass, Snapshot
from orders_operator.resources import database_revision, postgres
from orders_operator.resources.kinds import CONTROLLER_REVISION
from orders_operator.resources.labels import API, CANARY, selector
from orders_operator.resources.pod import template
from orders_operator.resources.references import CONFIG_MAPS, Reference, named
from orders_operator.resources.revision import Revision, restored, stored
from orders_operator.rollout.pods import ended, revisions_of

Object = dict[str, Any]

_KINDS: Final = {"secrets": "Secret", CONFIG_MAPS: "ConfigMap"}


async def read(it: Pass) -> None:
    """Read the children, the pods, the revisions, and what all of them name."""
    context, service, metadata = it.context, it.service, it.service.metadata
    served = await context.apis.served()
    kinds = [kind for kind in context.kinds if not kind.optional or kind.api_version in served]
    owner = Owner(metadata.namespace, metadata.name, metadata.uid)
    children = Children(context.kube, context.metrics, owner, kinds, context.cache)
    await children.look()
    found = await context.kube.list("v1", "pods", metadata.namespace, selector(service, API))
    pods = tuple(pod for pod in found if not ended(pod))
    before = rollout_before(it.resource)
    controllers = children.every(CONTROLLER_REVISION)
    revisions = await _revisions(children, controllers, before, metadata.name)
    live = await children.mine("apps/v1", "StatefulSet", postgres.database_name(service))
    used = {before.stable, before.revision, before.canary, *revisions_of(pods)}
    templates = [kept.template for kept in revisions.values() if kept.hash in used]
    contents = await _contents(children, (template(service), *templates, *pods))
    context.index.set(it.key, contents)
    it.snapshot = Snapshot(
        served=served,
        children=children,
        pods=pods,
        before=before,
        revisions=revisions,
        database=database_revision.stored(service, controllers, live),
        contents=contents,
    )


def rollout_before(resource: Object) -> RolloutStatus:
    """Return `status.rollout`; a new one where there is none.

    Of one that another release of the operator wrote, and this one does not understand, it keeps
    which revision is stable and which one failed.
    """
    found = (resource.get("status") or {}).get("rollout")
    try:
        return msgspec.convert(found, RolloutStatus)
    except msgspec.ValidationError:
        if not isinstance(found, dict):
            return RolloutStatus(phase="Stable")
    kept = RolloutStatus(phase="Progressing")
    for name in ("revision", "stable"):
        if isinstance(found.get(name), str):
            kept = replace(kept, **{name: found[name]})
    try:
        return replace(kept, failed=msgspec.convert(found.get("failed"), FailedRevision | None))
    except msgspec.ValidationError:
        return kept


async def _revisions(
    children: Children, controllers: list[Object], before: RolloutStatus, name: str
) -> dict[str, Revision]:
    """Return the revisions whose templates there are, in the order in which one is looked for.

    What pods run is known from their Deployment, should its ControllerRevision be gone.
    """
    newest = sorted(controllers, key=lambda obj: -int(obj.get("revision") or 0))
    found = {kept.hash: kept for obj in newest if (kept := stored(obj)) is not None}
    for track in (name, f"{name}-{CANARY}"):
        deployment = await children.mine("apps/v1", "Deployment", track)
        live = None if deployment is None else restored(deployment["spec"]["template"])
        if live is not None:
            found.setdefault(live.hash, live)
    first = [hash_ for hash_ in (before.revision or "", before.stable or "") if hash_ in found]
    return {hash_: found[hash_] for hash_ in dict.fromkeys([*first, *found])}


async def _contents(
    children: Children, readers: Iterable[Object]
) -> dict[Reference, Object | None]:
    references = dict.fromkeys(need.reference for reader in readers for need in named(reader))
    return {
        reference: await children.find("v1", _KINDS[reference.plural], reference.name)
        for reference in references
    }
