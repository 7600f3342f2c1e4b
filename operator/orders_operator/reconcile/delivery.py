"""The rollout of one OrderService: which revisions are kept, what runs, and what is next.

Looks at both Deployments and their pods, has the canary measured, and lets the plan decide.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from orders_operator.api.status import RolloutStatus
from orders_operator.reconcile.analysis import Compared, Windows
from orders_operator.resources.deployment import progress_deadline
from orders_operator.resources.labels import API, CANARY, STABLE, selector
from orders_operator.resources.placement import Placement
from orders_operator.resources.revision import Revision, restored, stored
from orders_operator.rollout.commands import commands
from orders_operator.rollout.history import history
from orders_operator.rollout.judge import comparable
from orders_operator.rollout.plan import plan
from orders_operator.rollout.situation import Plan, Situation
from orders_operator.rollout.tracks import Tracks, seen

if TYPE_CHECKING:
    from orders_operator.api.spec import OrderService
    from orders_operator.client.kube import Kube
    from orders_operator.reconcile.children import Children

Object = dict[str, Any]
Key = tuple[str, str]
"""Namespace and name."""


class Delivery:
    """The rollouts of all OrderServices."""

    def __init__(self, kube: "Kube", windows: Windows) -> None:
        """Keep where pods are looked up, and what compares them."""
        self._kube = kube
        self._windows = windows

    async def look(self, service: "OrderService", children: "Children") -> Tracks:
        """Return both Deployments, with the pods of the revision that each was given."""
        name, namespace = service.metadata.name, service.metadata.namespace
        stable = await children.mine("apps/v1", "Deployment", name)
        canary = await children.mine("apps/v1", "Deployment", f"{name}-{CANARY}")
        if stable is None and canary is None:
            return Tracks()
        labels = selector(service, API)
        found = await self._kube.list("v1", "pods", namespace, labels)
        return Tracks(seen(stable, found, STABLE), seen(canary, found, CANARY))

    async def decide(  # noqa: PLR0913  the facts of a plan
        self,
        service: "OrderService",
        resource: Object,
        revision: Revision,
        kept: Sequence[Object],
        tracks: Tracks,
        *,
        exact: bool,
        now: datetime,
    ) -> tuple[Placement, Plan, float | None]:
        """Return what is to run, what is said of it, and the seconds until it is looked at again.

        `kept` are the ControllerRevisions there are; `revision` is what the spec asks for.
        """
        metadata, spec = service.metadata, service.spec
        key = (metadata.namespace, metadata.name)
        known = _known(kept, tracks, revision)
        live = tracks.stable.deployment
        scaled = spec.autoscaling is not None and live is not None
        situation = Situation(
            declared=spec.rollout,
            deadline=progress_deadline(service),
            wanted=revision.hash,
            known=frozenset(known),
            pods=int(live["spec"].get("replicas", 1)) if scaled and live else spec.replicas,
            exact=exact,
            before=before(resource),
            stable=tracks.stable.track,
            canary=tracks.canary.track,
            commands=commands(resource),
            measured=None,
            now=now,
        )
        found = plan(situation)
        if found.measuring:
            compared = Compared(
                revision.hash,
                found.status.step or 1,
                tracks.canary.pods,
                tracks.stable.pods,
            )
            analysis = comparable(spec.rollout.canary.analysis, found.weight)
            measured = await self._windows.look(key, analysis, compared)
            if measured is not None:
                found = plan(replace(situation, measured=measured))
        again = found.again
        if found.measuring:
            left = self._windows.left(key, spec.rollout.canary.analysis)
            again = min((it for it in (again, left) if it is not None), default=None)
        else:
            self._windows.forget(key)
        return _placement(service, known, kept, found), found, again

    def forget(self, key: Key) -> None:
        """Drop what is remembered of a resource that is gone."""
        self._windows.forget(key)


def before(resource: Object) -> RolloutStatus:
    """Return `status.rollout`; a new one where there is none, or one that nobody understands."""
    found = (resource.get("status") or {}).get("rollout")
    try:
        return msgspec.convert(found, RolloutStatus)
    except msgspec.ValidationError:
        return RolloutStatus(phase="Stable")


def begun(resource: Object, kept: Sequence[Object]) -> Revision | None:
    """Return the revision that was wanted when the resource was last reconciled, if it is kept."""
    last = before(resource).revision
    return next((it for obj in kept if (it := stored(obj)) is not None and it.hash == last), None)


def kept_as_is(resource: Object, revision: Revision) -> Placement:
    """Return what to make of a rollout that nobody may touch now: only its share counts."""
    said = before(resource)
    return Placement(revision, weight=said.weight or 0 if said.canary else 0)


def _known(kept: Sequence[Object], tracks: Tracks, wanted: Revision) -> dict[str, Revision]:
    """Return the revisions whose templates there are.

    What the stable pods run is known from their Deployment, should its ControllerRevision be gone.
    """
    found = {it.hash: it for obj in kept if (it := stored(obj)) is not None}
    running = tracks.stable.deployment
    if running is not None and (live := restored(running["spec"]["template"])) is not None:
        found = {live.hash: live, **found}
    return {**found, wanted.hash: wanted}


def _placement(
    service: "OrderService",
    known: Mapping[str, Revision],
    kept: Sequence[Object],
    found: Plan,
) -> Placement:
    status = found.status
    used = {it for it in (found.stable, found.canary, status.stable, status.revision) if it}
    numbers = history(kept, status.revision or found.stable, used, service.spec.rollout.history)
    return Placement(
        stable=known[found.stable],
        canary=None if found.canary is None else known[found.canary],
        canary_pods=found.canary_pods,
        weight=found.weight,
        floor=status.stable_pods or 0,
        history=tuple((known[it], number) for it, number in numbers.items()),
    )
