"""Apply what is desired, and prune what is neither desired nor in use."""

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
"""When to look again whether somebody else's object is still in the way: it wakes nobody."""
_RECORDED_SECONDS: Final = 1.0
_UNTOUCHED: Final = frozenset({"ControllerRevision", "ConfigMap", "Secret"})
"""What stays, beside the Deployments, while it is not known which revision is to run."""
_TELLING: Final = frozenset({POD, CONTROLLER_REVISION.kind, STATEFUL_SET.kind})
"""The kinds that tell what is in use."""


async def apply(it: Pass) -> list[Object]:
    """Apply what is desired; return it."""
    it.in_use = in_use(it)
    objects = desired(it.service, await _facts(it))
    if it.invalid is not None:
        objects = await what_goes_back(it, objects)
    children = it.snapshot.children
    it.problems += await children.apply(objects)
    canary = ("Deployment", f"{it.service.metadata.name}-{CANARY}")
    if it.plan is not None and canary in children.held_back:
        it.plan = held_back(it.plan)
    return objects


async def prune(it: Pass, objects: list[Object]) -> None:
    """Delete what is no longer desired, unless something in use needs it or may need it.

    Going back is a deletion, of the canary: that is done whatever else is not known. Of another
    kind whose list failed nothing is deleted, though some of it was found by its name.
    """
    copies = config_maps(it)
    rolling = await _rolls(it)
    stays = _database_stays(it)
    policies = it.service.spec.network_policy.enabled

    expose = it.service.spec.expose
    route = HTTP_ROUTE.api_version in it.snapshot.served and not it.problems
    newer = any(_is_database_revision(obj) for obj in objects)

    sure = it.invalid is None and not it.snapshot.unknown & _TELLING
    left = not _keeps_its_share(it, objects) and (it.invalid is None or goes_back(it))

    def spared(obj: Object) -> bool:
        kind, metadata = obj["kind"], obj["metadata"]
        if kind == "Deployment":
            return it.plan is None or not left
        if not sure or kind in it.snapshot.unknown:
            return True
        if kind == "Ingress":  # callers come by it until the route is there
            return expose.http_route is not None and not route
        if (metadata.get("labels") or {}).get(COMPONENT) == DATABASE:
            older = newer and _is_database_revision(obj)
            return stays and not older and (policies or kind != "NetworkPolicy")
        if kind == "NetworkPolicy":  # left out while an address is not known
            return policies
        read = kind == "ConfigMap" and (rolling or metadata["name"] in copies)
        return read or (it.plan is None and kind in _UNTOUCHED)

    it.problems += await it.snapshot.children.prune(objects, spared)
    if stays and not uses_embedded(it):
        it.wake(_RECORDED_SECONDS)
    _come_back(it)


def _keeps_its_share(it: Pass, objects: list[Object]) -> bool:
    """Whether a route may still give the canary's pods requests: none of it was applied."""
    routes = it.snapshot.children.every(HTTP_ROUTE)
    own = (HTTP_ROUTE.kind, it.service.metadata.name)
    if own in it.snapshot.children.held_back:
        return bool(routes)
    return it.invalid is not None and bool(routes) and own not in map(key, objects)


def _come_back(it: Pass) -> None:
    """Say what could not be read, and come back for what is in the way or was refused."""
    children = it.snapshot.children
    it.problems += [refusal(" ".join(found), why) for found, why in children.unread.items()]
    refused = any(problem.reason is Reason.APPLY_FAILED for problem in it.problems)
    it.wake(it.context.refusals.passed(it.service.metadata.uid, refused=refused))
    if it.problems:
        it.wake(CONFLICT_SECONDS)


def retained_claim(it: Pass) -> RetainedClaim | None:
    """Return the claim that an embedded database left behind, or is about to."""
    if uses_embedded(it):
        return None
    if it.snapshot.database is None or POD in it.snapshot.unknown:  # a pod may use it
        return _recorded(it)
    if it.snapshot.database.declared.retention == "Delete":
        return None
    namespace, claim = it.service.metadata.namespace, claim_name(it.service)
    return RetainedClaim(claim, f"kubectl delete pvc --namespace {namespace} {claim}")


def _database_stays(it: Pass) -> bool:
    """Whether the embedded database is in use, or its claim is not written down yet."""
    kept = it.snapshot.database
    if it.plan is None or uses_embedded(it):
        return True
    return kept is not None and kept.declared.retention == "Retain" and _recorded(it) is None


async def _rolls(it: Pass) -> bool:
    """Whether pods of an earlier content may still be made: a ReplicaSet replaces those it has."""
    tracks = await tracks_of(it)
    found = (tracks.stable.track, tracks.canary.track)
    return any(
        not (track.progress.current and track.progress.complete)
        for track in found
        if track is not None
    )


def _is_database_revision(obj: Object) -> bool:
    labels = obj["metadata"].get("labels") or {}
    return obj["kind"] == CONTROLLER_REVISION.kind and labels.get(COMPONENT) == DATABASE


def _recorded(it: Pass) -> RetainedClaim | None:
    found = (it.resource.get("status") or {}).get("retainedClaim")
    if not isinstance(found, dict):
        return None
    return RetainedClaim(str(found.get("name")), str(found.get("deleteWith")))


async def _facts(it: Pass) -> Facts:
    snapshot, before = it.snapshot, it.snapshot.before
    placement = await _placement(it)
    policy = await snapshot.children.mine(
        "networking.k8s.io/v1", "NetworkPolicy", it.service.metadata.name
    )
    tracks = () if placement is None else placement.tracks
    weight = (before.weight or 0) if before.canary else 0
    hidden = POD in snapshot.unknown
    live = await snapshot.children.mine("apps/v1", "Deployment", it.service.metadata.name)
    trusted = await trust(it)
    service = await snapshot.children.mine("v1", "Service", it.service.metadata.name)
    return Facts(
        apis=snapshot.served,
        placement=placement,
        weight=weight if it.plan is None else it.plan.weight,
        floor=(before if it.plan is None else it.plan.status).stable_pods or 0,
        begins=live is None,
        database=await _database(it),
        egress=None if placement is None or hidden else egress(it, tracks, policy, trusted.ports),
        schemes=schemes(it, service),
        auth=trusted.files,
        metrics_key=await kept_metrics_key(it),
    )


async def _database(it: Pass) -> Database | None:
    """Return the embedded database, if it is declared or in use and its Secret can be had."""
    if it.choice.password is None or not uses_embedded(it):
        return None
    name = postgres.database_name(it.service)
    live = await it.snapshot.children.mine("apps/v1", "StatefulSet", name)
    kept, first = it.snapshot.database, None
    if kept is None:
        try:
            first = await placed(it)
        except Unread:
            return None
    revision = database_revision(it.service, kept, live, first)
    if revision is None:
        return None
    goes = live is not None and await is_replaced(it, live)
    return Database(revision, it.choice.password, 0 if goes else 1)


async def _placement(it: Pass) -> Placement | None:
    """Return which revision runs where, with what its pods read, and which are kept."""
    if it.plan is None:
        return None
    plan, children, known = it.plan, it.snapshot.children, it.known
    tracks = await tracks_of(it)
    deployments = (tracks.stable.deployment, tracks.canary.deployment)

    async def with_content(found: str) -> Running:
        revision = known[found]
        copy = await children.mine("v1", "ConfigMap", revision.copy) if revision.copy else None
        return running(it, revision, copy, deployments)

    status = plan.status
    declared = (plan.stable, plan.canary, status.stable, status.revision)
    used = {found for found in declared if found} | revisions_of(it.snapshot.pods)
    numbers = {}
    if CONTROLLER_REVISION.kind not in it.snapshot.unknown:
        wanted, length = status.revision or plan.stable, it.service.spec.rollout.history
        numbers = history(it.snapshot.controllers, wanted, used, length)
    stable = await with_content(plan.stable)
    canary = None if plan.canary is None else await with_content(plan.canary)
    kept = known | {run.revision.hash: run.revision for run in (stable, canary) if run is not None}
    return Placement(
        stable=stable,
        canary=canary,
        canary_pods=plan.canary_pods,
        history=tuple((kept[found], number) for found, number in numbers.items()),
    )
