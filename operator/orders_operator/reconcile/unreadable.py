"""Handles a spec that cannot be read: a rollout under way is still judged, and may go back.

Going back needs nothing that only the spec has: the stable revision is kept with its template, and
a route that cannot be made from the spec stays as it is, but for the canary's share. Everything
else, including the canary's step, stays as it is until the spec can be read.
"""

from copy import deepcopy
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from orders_operator.api.decode import legible
from orders_operator.api.rollout import judged_by
from orders_operator.api.spec import OrderService
from orders_operator.api.status import RolloutStatus
from orders_operator.client.errors import KubeError
from orders_operator.objects import Object
from orders_operator.reconcile.children import GET_SECONDS
from orders_operator.reconcile.owner import Owner
from orders_operator.reconcile.reconcile_pass import Pass
from orders_operator.resources.kinds import HTTP_ROUTE
from orders_operator.resources.labels import CANARY, child
from orders_operator.resources.names import track_service_name
from orders_operator.rollout.commands import Commands
from orders_operator.rollout.situation import Situation
from orders_operator.rollout.tracks import Tracks, TrackState

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube

_BACK: Final = frozenset({"Deployment", "HTTPRoute"})
"""The kinds that a rollback applies."""


def under_way(resource: Object, before: RolloutStatus) -> OrderService | None:
    """Return the legible part of a resource if its rollout may have to go back, else None."""
    service = legible(resource)
    if service is None or service.spec.paused:
        return None
    return service if before.stable is not None and before.phase != "Stable" else None


async def serving(kube: "Kube", resource: Object) -> tuple[Tracks, bool]:
    """Return the Deployment of a resource that is left alone, and whether it could not be read.

    Raises:
        KubeError: the API server is away.

    """
    owner = Owner.of(resource)
    try:
        where = ("apps/v1", "deployments", owner.namespace, owner.name)
        deployment = await kube.get(*where, seconds=GET_SECONDS)
    except KubeError as error:
        if error.lost:
            raise
        return Tracks(), True
    ours = deployment is not None and owner.owns(deployment)
    return Tracks(TrackState(deployment if ours else None)), False


def only_back(situation: Situation) -> Situation:
    """Return a situation in which a rollout can only stay where it is, or go back."""
    judged = situation.before.phase == "Baking" and judged_by(situation.declared) is not None
    rolling = situation.before.phase == "Progressing" or (
        judged and situation.declared.strategy == "RollingUpdate"
    )
    strategy = replace(situation.declared, strategy="RollingUpdate" if rolling else "Canary")
    return replace(
        situation,
        declared=strategy,
        pods=situation.pods if situation.stable is None else situation.stable.progress.wanted,
        commands=Commands(abort=situation.commands.abort, pause=situation.wanted),
        content=None,
    )


def goes_back(current: Pass) -> bool:
    """Whether a rollback is under way, for which everything else waits."""
    return current.plan is not None and current.plan.status.phase == "RolledBack"


async def what_goes_back(current: Pass, objects: list[Object]) -> list[Object]:
    """Return the objects that a rollback needs, with the live number of stable pods."""
    if not goes_back(current):
        return []
    name = current.service.metadata.name
    live = await current.snapshot.children.mine("apps/v1", "Deployment", name)
    found = [obj for obj in objects if obj["kind"] in _BACK]
    if not any(obj["kind"] == HTTP_ROUTE.kind for obj in found):
        found += [
            _without_canary(current, obj) for obj in current.snapshot.children.every(HTTP_ROUTE)
        ]
    for obj in found:
        if obj["metadata"]["name"] == name and live is not None and "replicas" in obj["spec"]:
            obj["spec"]["replicas"] = live["spec"].get("replicas", 1)
    return found


def _without_canary(current: Pass, route: Object) -> Object:
    """Return a live route, but without any requests for the canary."""
    canary = track_service_name(current.service, CANARY)
    spec = deepcopy(route["spec"])
    for rule in spec.get("rules") or ():
        for backend in rule.get("backendRefs") or ():
            if backend.get("name") == canary:
                backend["weight"] = 0
    made = child(current.service, HTTP_ROUTE.api_version, HTTP_ROUTE.kind, spec=spec)
    labels = {**(route["metadata"].get("labels") or {}), **made["metadata"]["labels"]}
    return {**made, "metadata": {**made["metadata"], "labels": labels}}
