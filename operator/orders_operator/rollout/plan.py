"""What a rollout does next: a pure function of what is declared, what was said last, and what is.

The same facts always give the same plan; only `now` moves it on.
"""

from msgspec.structs import replace

from orders_operator.api.rollout import judged_by
from orders_operator.api.status import AnalysisStatus, FailedRevision, Phase, RolloutStatus
from orders_operator.rollout.bake import bake, bakes
from orders_operator.rollout.failure import asleep as is_asleep
from orders_operator.rollout.failure import failed, final, same, seen
from orders_operator.rollout.situation import PROMOTION, Plan, Situation, stamp
from orders_operator.rollout.steps import asleep, canary


def plan(it: Situation) -> Plan:
    """Decide."""
    stable = _stable(it)
    if stable is None or stable == it.wanted:
        return _only(it, stable)
    failure = failed(it)
    if failure is not None and (it.declared.rollback == "Automatic" or final(it, failure)):
        return _back(it, stable, failure)
    if failure is None and is_asleep(it):
        return asleep(it, stable)
    if _watched(it):
        found = canary(it, stable, failure)
        if found is not None:
            return found
        it = replace(it, before=replace(it.before, phase="Promoting"))
    return _forward(it, stable, failure)


def held_back(found: Plan) -> Plan:
    """Return a plan whose canary pods could not be asked for, which is not their fault.

    The time that they may take begins when they can be.
    """
    return replace(found, status=replace(found.status, step_at=None))


def _stable(it: Situation) -> str | None:
    """Return the revision to go back to: the last that was rolled out and is still kept.

    One that bakes has replaced it everywhere: it is what a third one is compared with.
    """
    if _superseded(it):
        return it.before.revision
    if it.before.stable in it.known:
        return it.before.stable
    if it.stable is not None and it.stable.progress.serving and it.stable.revision in it.known:
        return it.stable.revision
    return None


def _superseded(it: Situation) -> bool:
    """Whether another revision is declared while one bakes of which nothing bad is known."""
    before, found = it.before, it.stable
    return (
        before.phase == "Baking"
        and it.wanted not in {before.revision, before.stable}
        and before.revision in it.known
        and found is not None
        and found.revision == before.revision
        and found.progress.serving
        and (found.trouble is None or found.trouble.may_pass)
        and (before.analysis is None or before.analysis.verdict != "Failed")
    )


def _only(it: Situation, stable: str | None) -> Plan:
    """Have one revision: the first, or the stable one again."""
    done = _done(it) or (stable is not None and _scaled(it))
    stays = done and it.before.phase == "Stable" and it.before.revision == it.wanted
    return Plan(
        stable=it.wanted,
        status=RolloutStatus(
            phase="Stable" if done else "Progressing",
            revision=it.wanted,
            stable=it.wanted if done else stable,
            started_at=None if done else it.before.started_at or stamp(it.now),
            analysis=it.before.analysis if stays else None,
            message=it.before.message if stays else None,
        ),
    )


def _done(it: Situation) -> bool:
    """Whether the stable pods are all of the wanted revision, and serve."""
    found = it.stable
    return found is not None and found.revision == it.wanted and found.progress.serving


def _scaled(it: Situation) -> bool:
    """Whether pods only come or go: that is no rollout."""
    same = it.stable is not None and it.stable.revision == it.wanted
    return same and it.before.phase == "Stable"


def _back(it: Situation, stable: str, failure: FailedRevision) -> Plan:
    """Have the stable revision alone; the Deployment may still be on its way to it."""
    return Plan(
        stable=stable,
        status=RolloutStatus(
            phase="RolledBack",
            revision=it.wanted,
            stable=stable,
            started_at=it.before.started_at,
            analysis=it.before.analysis if it.before.phase == "RolledBack" else seen(it),
            failed=failure,
            message=f"{failure.revision} failed; {stable} is serving. {failure.message}",
        ),
    )


def _watched(it: Situation) -> bool:
    """Whether the wanted revision is, or stays, a canary."""
    if it.declared.strategy != "Canary" or it.commands.promote == it.wanted:
        return False
    if not same(it):
        return it.pods > 0  # without pods there is nothing to compare it with
    before = it.before
    promoted = before.phase in {"Promoting", "Baking"}
    return not (promoted or (before.phase == "Halted" and before.step is None))


def _forward(it: Situation, stable: str, failure: FailedRevision | None) -> Plan:
    """Replace the stable pods one by one; a canary's stay beside them until that is done."""
    if failure is None and bakes(it, done=_done(it)):
        found = bake(it, stable, done=_done(it))
        if isinstance(found, Plan):
            return found
        only = _only(it, it.wanted)
        return replace(only, status=replace(only.status, analysis=found, message=_unjudged(found)))
    if _done(it) and failure is None:
        return _only(it, it.wanted)
    canary = it.canary if it.canary is not None and it.canary.revision == it.wanted else None
    phase: Phase = "Promoting" if it.declared.strategy == "Canary" else "Progressing"
    progress = None if it.stable is None else it.stable.progress
    text = "" if progress is None else f"{progress.updated} of {progress.wanted} pods are new."
    status = RolloutStatus(
        phase="Halted" if failure else phase,
        revision=it.wanted,
        stable=stable,
        canary=None if canary is None else it.wanted,
        weight=it.before.weight if canary is not None else None,
        started_at=_started(it),
        analysis=seen(it),
        stable_pods=it.before.stable_pods if canary is not None else None,
        failed=failure,
        message=failure.message if failure else text,
    )
    return Plan(
        stable=it.wanted,
        canary=None if canary is None else it.wanted,
        canary_pods=0 if canary is None else canary.progress.wanted,
        weight=it.before.weight or 0 if canary is not None else 0,
        stage=PROMOTION if _judged(it, failure) else None,
        status=status,
    )


def _judged(it: Situation, failure: FailedRevision | None) -> bool:
    """Whether pods are judged while they are replaced."""
    promoted = it.commands.promote == it.wanted
    return failure is None and not promoted and judged_by(it.declared) is not None and it.pods > 0


def _unjudged(found: AnalysisStatus | None) -> str | None:
    """Say that nothing could be said of a revision after it was rolled out."""
    return (
        None
        if found is None
        else f"It is serving, but could not be judged afterwards: {found.message}"
    )


def _started(it: Situation) -> str:
    same = it.before.revision == it.wanted and it.before.phase not in {"RolledBack", "Stable"}
    return (it.before.started_at if same else None) or stamp(it.now)
