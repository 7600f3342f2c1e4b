"""Plan: decide what runs next, from the state of the rollout and the canary's metrics."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from orders_operator.api.rollout import judged_by
from orders_operator.reconcile.metrics_key import credential
from orders_operator.reconcile.reconcile_pass import Pass
from orders_operator.reconcile.unreadable import only_back
from orders_operator.resources.content import content_hash, missing, value
from orders_operator.resources.deployment import progress_deadline
from orders_operator.resources.desired import splits_requests
from orders_operator.resources.labels import CANARY, STABLE
from orders_operator.resources.references import everything
from orders_operator.rollout.commands import commands
from orders_operator.rollout.failure import overdue
from orders_operator.rollout.judge import absolute, comparable
from orders_operator.rollout.measure import Compared
from orders_operator.rollout.plan import plan
from orders_operator.rollout.pods import of_revision, ready
from orders_operator.rollout.readiness import answers
from orders_operator.rollout.situation import BAKE, PROMOTION, Plan, Situation
from orders_operator.rollout.tracks import Tracks, track_state

if TYPE_CHECKING:
    from orders_operator.resources.revision import Revision


async def plan_rollout(current: Pass) -> None:
    """Decide what should run; nothing while the revision that the rollout is about is unknown."""
    current.plan = None
    revision = current.choice.going
    if revision is None:
        return
    windows = current.context.windows
    tracks = await tracks_of(current)
    situation = _situation(current, revision, tracks)
    if current.invalid is not None:
        situation = only_back(situation)
    if overdue(situation):
        current.answers = await answers((*tracks.canary.newest, *tracks.stable.newest))
        tracks = await tracks_of(current)
        situation = replace(situation, stable=tracks.stable.track, canary=tracks.canary.track)
    decided = plan(situation)
    analysis, compared = judged_by(situation.declared), _compared(current, decided, tracks)
    measured = None
    if analysis is None or compared is None:
        windows.forget(current.key)
    else:
        alone = not compared.fixed and not compared.beside
        asked = absolute(analysis) if alone else comparable(analysis, decided.weight)
        measured = await windows.judge(current.key, asked, compared, await credential(current))
    current.plan = decided if measured is None else plan(replace(situation, measured=measured))
    current.wake(current.plan.again)
    if current.plan.stage is None:
        windows.forget(current.key)
    else:
        current.wake(windows.left(current.key))


def _compared(current: Pass, decided: Plan, tracks: Tracks) -> Compared | None:
    """Return the pods that the analysis judges; None if it judges none.

    In a step they are the canary's, compared with the stable ones. Once the stable ones are being
    replaced, they are all new pods that serve, compared with the old ones while any are left.
    """
    if decided.stage is None:
        return None
    revision, stable = decided.status.revision or "", tracks.stable
    if decided.stage not in {PROMOTION, BAKE}:
        return Compared(revision, decided.stage, tracks.canary.pods, stable.pods)
    new = [pod for pod in stable.pods if ready(pod)] if stable.revision == revision else []
    if decided.stage == BAKE:
        return Compared(revision, BAKE, new, fixed=False)
    old = of_revision(current.snapshot.pods, STABLE, decided.status.stable)
    judged = [*tracks.canary.pods, *new]
    return Compared(revision, PROMOTION, judged, old, fixed=False) if judged else None


async def tracks_of(current: Pass) -> Tracks:
    """Return both Deployments as they are now, each with the pods of its revision."""
    children, name = current.snapshot.children, current.service.metadata.name
    stable = await children.mine("apps/v1", "Deployment", name)
    canary = await children.mine("apps/v1", "Deployment", f"{name}-{CANARY}")
    pods, said = current.snapshot.pods, current.answers
    return Tracks(track_state(stable, pods, STABLE, said), track_state(canary, pods, CANARY, said))


def _situation(current: Pass, revision: "Revision", tracks: Tracks) -> Situation:
    spec, snapshot = current.service.spec, current.snapshot
    live = tracks.stable.deployment
    scaled = spec.autoscaling is not None and live is not None
    return Situation(
        declared=spec.rollout,
        deadline=progress_deadline(current.service),
        wanted=revision.hash,
        known=frozenset({*snapshot.revisions, revision.hash}),
        pods=int(live["spec"].get("replicas", 1)) if scaled and live else spec.replicas,
        exact=splits_requests(current.service, snapshot.served),
        before=snapshot.before,
        stable=tracks.stable.track,
        canary=tracks.canary.track,
        commands=commands(current.resource),
        content=_own_content(current, revision, tracks.stable.revision),
        measured=None,
        now=current.now,
    )


def _own_content(current: Pass, revision: "Revision", running: str | None) -> str | None:
    """Return a hash of what a revision reads beyond the stable one; None if some is missing."""
    snapshot = current.snapshot
    stable = snapshot.revisions.get(snapshot.before.stable or running or "")
    known = (
        set()
        if stable is None
        else {(need.reference, need.key) for need in everything(stable.template)}
    )
    own = [
        need for need in everything(revision.template) if (need.reference, need.key) not in known
    ]
    if missing(own, snapshot.contents):
        return None
    return content_hash({need: value(need, snapshot.contents) for need in own})
