"""Read: collect everything that a pass needs, once."""

import contextlib
from http import HTTPStatus

import msgspec
from msgspec.structs import fields, replace

from orders_operator.api.spec import OrderService
from orders_operator.api.status import RolloutStatus
from orders_operator.objects import Object
from orders_operator.reconcile.auth import cluster_keys
from orders_operator.reconcile.autoscaled import autoscaled, autoscaled_before, with_pods
from orders_operator.reconcile.children import Children, refusal
from orders_operator.reconcile.database_pod import pods_of_database
from orders_operator.reconcile.owner import Owner
from orders_operator.reconcile.reconcile_pass import POD, Pass, Snapshot
from orders_operator.resources import database_revision, postgres
from orders_operator.resources.kinds import CONTROLLER_REVISION, SECRET, STATEFUL_SET, uses
from orders_operator.resources.labels import (
    API,
    CANARY,
    COMPONENT,
    DATABASE,
    REVISION,
    labelled,
    selector,
)
from orders_operator.resources.pod import template
from orders_operator.resources.references import everything
from orders_operator.resources.revision import Revision, restored, stored
from orders_operator.rollout.pods import ended, revisions_of


async def read(current: Pass) -> None:
    """Read the children, the pods, the revisions, and the objects that these name."""
    context, service, metadata = current.context, current.service, current.service.metadata
    served = await context.apis.served()
    kinds = [kind for kind in context.kinds if not kind.optional or kind.api_version in served]
    owner = Owner(metadata.namespace, metadata.name, metadata.uid)
    children = Children(context, owner, kinds, current.now)
    await children.read()
    if children.unlisted:
        context.apis.doubt()  # an optional kind may have been removed
    await _keep_pods(current, children)
    service, pods = current.service, await _pods(current, children)
    unknown = _unknown(current, children)
    databases = (*children.every(SECRET), *children.every(STATEFUL_SET))
    service = current.service = postgres.with_database_of(service, databases)
    before = rollout_before(current.resource)
    live = await children.mine("apps/v1", "StatefulSet", postgres.database_name(service))
    deployed = await _deployed(children, metadata.name)
    controllers = await _controllers(children, metadata.name, deployed)
    controllers += await _of_database(children, service, live)
    revisions = _revisions(controllers, before, deployed)
    used = {before.stable, before.revision, before.canary, *revisions_of(pods)}
    templates = [kept.template for kept in revisions.values() if kept.hash in used]
    readers = (template(service), *templates, *pods)
    references = tuple(
        dict.fromkeys(need.reference for reader in readers for need in everything(reader))
    )
    context.index.set(current.key, references)  # before they are read, so that no change is missed
    contents = {found: await children.find_reference(found) for found in references}
    current.snapshot = Snapshot(
        served=served,
        children=children,
        pods=pods,
        before=before,
        revisions=revisions,
        controllers=tuple(controllers),
        database=database_revision.stored(service, controllers, live),
        database_pods=await pods_of_database(context.kube, service, live),
        contents=contents,
        unknown=unknown,
        cluster=None if current.invalid is not None else await cluster_keys(current, children),
    )


async def _keep_pods(current: Pass, children: Children) -> None:
    """Keep the autoscaler's number of replicas once there is no autoscaling."""
    current.autoscaled = autoscaled_before(current.resource)
    if current.invalid is not None:  # whether there is autoscaling is unknown
        return
    live = await children.mine("apps/v1", "Deployment", current.service.metadata.name)
    known = not children.any_unread("Deployment")
    current.autoscaled = autoscaled(current.service.spec, current.autoscaled, live, known=known)
    current.service = with_pods(current.service, current.autoscaled)


async def _pods(current: Pass, children: Children) -> tuple[Object, ...]:
    """Return the pods of the service that have not ended; a list that fails is noted."""
    found = await children.listed("v1", POD, "pods", selector(current.service, API))
    return tuple(pod for pod in found if not ended(pod))


def _unknown(current: Pass, children: Children) -> frozenset[str]:
    """Return the kinds whose list failed, and add that to the pass's failures.

    A kind that this OrderService does not use may be forbidden, or gone: none of it is ours.
    """
    controllers = children.every(CONTROLLER_REVISION)
    components = [(obj["metadata"].get("labels") or {}).get(COMPONENT) for obj in controllers]
    database = current.service.spec.database.embedded is not None or DATABASE in components
    for kind, error in [*children.unlisted.items()]:
        nothing = error.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
        if nothing and not uses(current.service, kind, database=database):
            children.ignore(kind)
        else:
            current.failures.append(refusal(kind, error))
    return frozenset(children.unlisted)


def rollout_before(resource: Object) -> RolloutStatus:
    """Return `status.rollout`; a new one if there is none.

    If another release of the operator wrote it, keep each field that this release understands, so
    that a phase that it does not know costs neither the stable revision nor the failed one.
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


async def _deployed(children: Children, name: str) -> list[Revision]:
    """Return the revisions that the Deployments of both tracks have."""
    deployments = [
        await children.mine("apps/v1", "Deployment", track) for track in (name, f"{name}-{CANARY}")
    ]
    live = [deployment for deployment in deployments if deployment is not None]
    found = [restored(deployment["spec"]["template"]) for deployment in live]
    return [revision for revision in found if revision is not None]


async def _controllers(children: Children, name: str, deployed: list[Revision]) -> list[Object]:
    """Return the ControllerRevisions, including those of running revisions that lost their labels.

    The Deployment names its revision. A ControllerRevision cannot be written anew, because its
    data are immutable.
    """
    controllers = children.every(CONTROLLER_REVISION)
    known = {kept.hash for obj in controllers if (kept := stored(obj)) is not None}
    for live in deployed:
        if live.hash in known:
            continue
        known.add(live.hash)
        where = (CONTROLLER_REVISION.api_version, CONTROLLER_REVISION.kind, f"{name}-{live.hash}")
        obj = await children.mine(*where)
        if obj is not None:
            controllers.append(labelled(obj, REVISION, live.hash))
    return controllers


async def _of_database(
    children: Children, service: OrderService, live: Object | None
) -> list[Object]:
    """Return the ControllerRevision that a StatefulSet names, if its labels were removed."""
    name = None if live is None else database_revision.name_of(service, live)
    there = {obj["metadata"]["name"] for obj in children.every(CONTROLLER_REVISION)}
    if name is None or name in there:
        return []
    where = (CONTROLLER_REVISION.api_version, CONTROLLER_REVISION.kind, name)
    obj = await children.mine(*where)
    return [] if obj is None else [labelled(obj, COMPONENT, DATABASE)]


def _revisions(
    controllers: list[Object], before: RolloutStatus, deployed: list[Revision]
) -> dict[str, Revision]:
    """Return the revisions whose templates are known, in the order in which one is looked for.

    The Deployment tells what its pods run, should its ControllerRevision be gone.
    """
    newest = sorted(controllers, key=lambda obj: -int(obj.get("revision") or 0))
    found = {kept.hash: kept for obj in newest if (kept := stored(obj)) is not None}
    for live in deployed:
        kept = found.get(live.hash, live)
        found[live.hash] = kept if kept.copy else replace(kept, copy=live.copy)
    names = [before.revision or "", before.stable or ""]
    if before.failed is not None and before.failed.revision == before.revision:
        names.reverse()
    first = [hash_ for hash_ in names if hash_ in found]
    return {hash_: found[hash_] for hash_ in dict.fromkeys([*first, *found])}
