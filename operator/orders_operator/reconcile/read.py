"""Read: everything that a pass looks at, once."""

import contextlib
from typing import Any

import msgspec
from msgspec.structs import fields, replace

from orders_operator.api.status import RolloutStatus
from orders_operator.client.errors import KubeError
from orders_operator.reconcile.children import Children, Owner
from orders_operator.reconcile.database_pod import pods_of_database
from orders_operator.reconcile.reconcile_pass import Pass, Snapshot
from orders_operator.resources import database_revision, postgres
from orders_operator.resources.kinds import CONTROLLER_REVISION, SECRET, STATEFUL_SET
from orders_operator.resources.labels import API, CANARY, selector
from orders_operator.resources.pod import template
from orders_operator.resources.references import named
from orders_operator.resources.revision import Revision, restored, stored
from orders_operator.rollout.pods import ended, revisions_of

Object = dict[str, Any]


async def read(it: Pass) -> None:
    """Read the children, the pods, the revisions, and what all of them name."""
    context, service, metadata = it.context, it.service, it.service.metadata
    served = await context.apis.served()
    kinds = [kind for kind in context.kinds if not kind.optional or kind.api_version in served]
    owner = Owner(metadata.namespace, metadata.name, metadata.uid)
    children = Children(context.kube, context.metrics, owner, kinds, context.cache)
    try:
        await children.look()
    except KubeError:
        context.apis.doubt()  # an optional kind may be gone since
        raise
    databases = (*children.every(SECRET), *children.every(STATEFUL_SET))
    service = it.service = postgres.with_database_of(service, databases)
    found = await context.kube.list("v1", "pods", metadata.namespace, selector(service, API))
    pods = tuple(pod for pod in found if not ended(pod))
    before = rollout_before(it.resource)
    controllers = children.every(CONTROLLER_REVISION)
    revisions = await _revisions(children, controllers, before, metadata.name)
    live = await children.mine("apps/v1", "StatefulSet", postgres.database_name(service))
    used = {before.stable, before.revision, before.canary, *revisions_of(pods)}
    templates = [kept.template for kept in revisions.values() if kept.hash in used]
    readers = (template(service), *templates, *pods)
    references = tuple(
        dict.fromkeys(need.reference for reader in readers for need in named(reader))
    )
    context.index.set(it.key, references)  # before they are read, so that no change is missed
    contents = {found: await children.find_reference(found) for found in references}
    it.snapshot = Snapshot(
        served=served,
        children=children,
        pods=pods,
        before=before,
        revisions=revisions,
        database=database_revision.stored(service, controllers, live),
        database_pods=await pods_of_database(context.kube, service, live),
        contents=contents,
    )


def rollout_before(resource: Object) -> RolloutStatus:
    """Return `status.rollout`; a new one where there is none.

    Of one that another release of the operator wrote it keeps each field that it understands, so
    that a phase that is new to it costs neither the stable revision nor the failed one.
    """
    found = (resource.get("status") or {}).get("rollout")
    try:
        return msgspec.convert(found, RolloutStatus)
    except msgspec.ValidationError:
        if not isinstance(found, dict):
            return RolloutStatus(phase="Stable")
    kept = RolloutStatus(phase="Progressing")
    for field in fields(RolloutStatus):
        with contextlib.suppress(msgspec.ValidationError):
            value = msgspec.convert(found.get(field.encode_name), field.type)
            kept = replace(kept, **{field.name: value})
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
            kept = found.get(live.hash, live)
            found[live.hash] = kept if kept.copy else replace(kept, copy=live.copy)
    names = [before.revision or "", before.stable or ""]
    if before.failed is not None and before.failed.revision == before.revision:
        names.reverse()
    first = [hash_ for hash_ in names if hash_ in found]
    return {hash_: found[hash_] for hash_ in dict.fromkeys([*first, *found])}
