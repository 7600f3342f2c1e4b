"""Apply the desired objects, and prune those that are neither desired nor in use."""

from typing import Final

from orders_operator.api.conditions import Reason
from orders_operator.api.status import RetainedClaim
from orders_operator.objects import Object
from orders_operator.reconcile.apply_cache import key
from orders_operator.reconcile.auth import trust
from orders_operator.reconcile.children import refusal
from orders_operator.reconcile.database_pod import Unread, is_replaced, placed
from orders_operator.reconcile.in_use import config_maps, egress, in_use, uses_embedded
from orders_operator.reconcile.metrics_key import kept_metrics_key
from orders_operator.reconcile.reconcile_pass import POD, Pass
from orders_operator.reconcile.rollout_step import tracks_of
from orders_operator.reconcile.running import running
from orders_operator.reconcile.schemes import schemes
from orders_operator.reconcile.unreadable import goes_back, what_goes_back
from orders_operator.resources import postgres
from orders_operator.resources.claim import claim_name
from orders_operator.resources.database_revision import database_revision
from orders_operator.resources.desired import Database, Facts, desired
from orders_operator.resources.kinds import CONTROLLER_REVISION, HTTP_ROUTE, STATEFUL_SET
from orders_operator.resources.labels import CANARY, COMPONENT, DATABASE
from orders_operator.resources.placement import Placement, Running
from orders_operator.rollout.history import history
from orders_operator.rollout.plan import held_back
from orders_operator.rollout.pods import revisions_of

CONFLICT_SECONDS: Final = 30.0
"""When to check whether somebody else's object is still in the way: its deletion wakes no pass."""
_RECORDED_SECONDS: Final = 1.0
_UNTOUCHED: Final = frozenset({"ControllerRevision", "ConfigMap", "Secret"})
"""The kinds that stay, like the Deployments, while the revision to run is unknown."""
_TELLING: Final = frozenset({POD, CONTROLLER_REVISION.kind, STATEFUL_SET.kind})
"""The kinds from which the operator knows what is in use."""


async def apply(current: Pass) -> list[Object]:
    """Apply the desired objects, and return them."""
    current.in_use = in_use(current)
    objects = desired(current.service, await _facts(current))
    if current.invalid is not None:
        objects = await what_goes_back(current, objects)
    children = current.snapshot.children
    current.failures += await children.apply(objects)
    canary = ("Deployment", f"{current.service.metadata.name}-{CANARY}")
    if current.plan is not None and canary in children.held_back:
        current.plan = held_back(current.plan)
    return objects


async def prune(current: Pass, objects: list[Object]) -> None:
    """Delete what is no longer desired, unless something in use needs it or may need it.

    A rollback deletes the canary, even while other facts are unknown. For any other kind whose
    list failed, nothing is deleted, not even an object that was found by its name.
    """
    copies = config_maps(current)
    rolling = await _rolls(current)
    stays = _database_stays(current)
    policies = current.service.spec.network_policy.enabled

    expose = current.service.spec.expose
    route = HTTP_ROUTE.api_version in current.snapshot.served and not current.failures
    newer = any(_is_database_revision(obj) for obj in objects)

    sure = current.invalid is None and not current.snapshot.unknown & _TELLING
    left = not _keeps_its_share(current, objects) and (
        current.invalid is None or goes_back(current)
    )

    def spared(obj: Object) -> bool:
        kind, metadata = obj["kind"], obj["metadata"]
        if kind == "Deployment":
            return current.plan is None or not left
        if not sure or kind in current.snapshot.unknown:
            return True
        if kind == "Ingress":  # callers use it until the route exists
            return expose.http_route is not None and not route
        if (metadata.get("labels") or {}).get(COMPONENT) == DATABASE:
            older = newer and _is_database_revision(obj)
            return stays and not older and (policies or kind != "NetworkPolicy")
        if kind == "NetworkPolicy":  # left out while an address is unknown
            return policies
        read = kind == "ConfigMap" and (rolling or metadata["name"] in copies)
        return read or (current.plan is None and kind in _UNTOUCHED)

    current.failures += await current.snapshot.children.prune(objects, spared)
    if stays and not uses_embedded(current):
        current.wake(_RECORDED_SECONDS)
    _come_back(current)


def _keeps_its_share(current: Pass, objects: list[Object]) -> bool:
    """Whether a route may still send requests to the canary's pods, as it was not applied."""
    routes = current.snapshot.children.every(HTTP_ROUTE)
    own = (HTTP_ROUTE.kind, current.service.metadata.name)
    if own in current.snapshot.children.held_back:
        return bool(routes)
    return current.invalid is not None and bool(routes) and own not in map(key, objects)


def _come_back(current: Pass) -> None:
    """Add what could not be read to the failures, and schedule the retry of what failed."""
    children = current.snapshot.children
    current.failures += [refusal(" ".join(found), why) for found, why in children.unread.items()]
    refused = any(failure.reason is Reason.APPLY_FAILED for failure in current.failures)
    current.wake(current.context.refusals.passed(current.service.metadata.uid, refused=refused))
    if current.failures:
        current.wake(CONFLICT_SECONDS)


def retained_claim(current: Pass) -> RetainedClaim | None:
    """Return the claim that an embedded database left behind, or is about to; else None."""
    if uses_embedded(current):
        return None
    if current.snapshot.database is None or POD in current.snapshot.unknown:  # a pod may use it
        return _recorded(current)
    if current.snapshot.database.declared.retention == "Delete":
        return None
    namespace, claim = current.service.metadata.namespace, claim_name(current.service)
    return RetainedClaim(claim, f"kubectl delete pvc --namespace {namespace} {claim}")


def _database_stays(current: Pass) -> bool:
    """Whether the embedded database is in use, or the status does not name its claim yet."""
    kept = current.snapshot.database
    if current.plan is None or uses_embedded(current):
        return True
    return kept is not None and kept.declared.retention == "Retain" and _recorded(current) is None


async def _rolls(current: Pass) -> bool:
    """Whether pods with earlier content may still be created: a ReplicaSet replaces its own."""
    tracks = await tracks_of(current)
    found = (tracks.stable.track, tracks.canary.track)
    return any(
        not (track.progress.current and track.progress.complete)
        for track in found
        if track is not None
    )


def _is_database_revision(obj: Object) -> bool:
    labels = obj["metadata"].get("labels") or {}
    return obj["kind"] == CONTROLLER_REVISION.kind and labels.get(COMPONENT) == DATABASE


def _recorded(current: Pass) -> RetainedClaim | None:
    found = (current.resource.get("status") or {}).get("retainedClaim")
    if not isinstance(found, dict):
        return None
    return RetainedClaim(str(found.get("name")), str(found.get("deleteWith")))


async def _facts(current: Pass) -> Facts:
    snapshot, before = current.snapshot, current.snapshot.before
    placement = await _placement(current)
    policy = await snapshot.children.mine(
        "networking.k8s.io/v1", "NetworkPolicy", current.service.metadata.name
    )
    tracks = () if placement is None else placement.tracks
    weight = (before.weight or 0) if before.canary else 0
    hidden = POD in snapshot.unknown
    live = await snapshot.children.mine("apps/v1", "Deployment", current.service.metadata.name)
    trusted = await trust(current)
    service = await snapshot.children.mine("v1", "Service", current.service.metadata.name)
    return Facts(
        apis=snapshot.served,
        placement=placement,
        weight=weight if current.plan is None else current.plan.weight,
        floor=(before if current.plan is None else current.plan.status).stable_pods or 0,
        begins=live is None,
        database=await _database(current),
        egress=None
        if placement is None or hidden
        else egress(current, tracks, policy, trusted.ports),
        schemes=schemes(current, service),
        auth=trusted.files,
        metrics_key=await kept_metrics_key(current),
    )


async def _database(current: Pass) -> Database | None:
    """Return the embedded database; None if nothing uses it, or its Secret or claim is unknown."""
    if current.choice.password is None or not uses_embedded(current):
        return None
    name = postgres.database_name(current.service)
    live = await current.snapshot.children.mine("apps/v1", "StatefulSet", name)
    kept, first = current.snapshot.database, None
    if kept is None:
        try:
            first = await placed(current)
        except Unread:
            return None
    revision = database_revision(current.service, kept, live, first)
    if revision is None:
        return None
    goes = live is not None and await is_replaced(current, live)
    return Database(revision, current.choice.password, 0 if goes else 1)


async def _placement(current: Pass) -> Placement | None:
    """Return which revision runs on which track, what its pods read, and which ones are kept."""
    if current.plan is None:
        return None
    plan, children, known = current.plan, current.snapshot.children, current.known
    tracks = await tracks_of(current)
    deployments = (tracks.stable.deployment, tracks.canary.deployment)

    async def with_content(found: str) -> Running:
        revision = known[found]
        copy = await children.mine("v1", "ConfigMap", revision.copy) if revision.copy else None
        return running(current, revision, copy, deployments)

    status = plan.status
    declared = (plan.stable, plan.canary, status.stable, status.revision)
    used = {found for found in declared if found} | revisions_of(current.snapshot.pods)
    numbers = {}
    if CONTROLLER_REVISION.kind not in current.snapshot.unknown:
        wanted, length = status.revision or plan.stable, current.service.spec.rollout.history
        numbers = history(current.snapshot.controllers, wanted, used, length)
    stable = await with_content(plan.stable)
    canary = None if plan.canary is None else await with_content(plan.canary)
    kept = known | {run.revision.hash: run.revision for run in (stable, canary) if run is not None}
    return Placement(
        stable=stable,
        canary=canary,
        canary_pods=plan.canary_pods,
        history=tuple((kept[found], number) for found, number in numbers.items()),
    )
