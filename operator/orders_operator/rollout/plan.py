"""Plans the next move of a rollout: a pure function of the spec, the last status and the cluster.

The same facts always give the same plan; only `now` moves it on.
"""

from msgspec.structs import replace

from orders_operator.api.rollout import judged_by
from orders_operator.api.status import AnalysisStatus, FailedRevision, Phase, RolloutStatus
from orders_operator.rollout.bake import bake, bakes
from orders_operator.rollout.failure import asleep as is_asleep
from orders_operator.rollout.failure import failed, final, last_window, same
from orders_operator.rollout.situation import PROMOTION, Plan, Situation, stamp
from orders_operator.rollout.steps import asleep, canary


def plan(situation: Situation) -> Plan:
    """Return what should run now, with the `status.rollout` that says so."""
    stable = _stable(situation)
    if stable is None or stable == situation.wanted:
        return _only(situation, stable)
    failure = failed(situation)
    if failure is not None and (
        situation.declared.rollback == "Automatic" or final(situation, failure)
    ):
        return _back(situation, stable, failure)
    if failure is None and is_asleep(situation):
        return asleep(situation, stable)
    if _watched(situation):
        found = canary(situation, stable, failure)
        if found is not None:
            return found
        situation = replace(situation, before=replace(situation.before, phase="Promoting"))
    return _forward(situation, stable, failure)


def held_back(decided: Plan) -> Plan:
    """Return a plan whose canary's Deployment could not be applied, which is not its pods' fault.

    The time that the pods may take begins once it is applied.
    """
    return replace(decided, status=replace(decided.status, step_at=None))


def _stable(situation: Situation) -> str | None:
    """Return the revision to go back to: the last one that was rolled out and is still kept.

    A revision that bakes has already replaced it: a third revision is compared with the baking
    one.
    """
    if _superseded(situation):
        return situation.before.revision
    if situation.before.stable in situation.known:
        return situation.before.stable
    if (
        situation.stable is not None
        and situation.stable.progress.serving
        and situation.stable.revision in situation.known
    ):
        return situation.stable.revision
    return None


def _superseded(situation: Situation) -> bool:
    """Whether another revision is declared while one bakes that has no known failure."""
    before, found = situation.before, situation.stable
    return (
        before.phase == "Baking"
        and situation.wanted not in {before.revision, before.stable}
        and before.revision in situation.known
        and found is not None
        and found.revision == before.revision
        and found.progress.serving
        and (found.failure is None or found.failure.may_pass)
        and (before.analysis is None or before.analysis.verdict != "Failed")
    )


def _only(situation: Situation, stable: str | None) -> Plan:
    """Run one revision alone: the first, or the stable one again."""
    done = _done(situation) or (stable is not None and _scaled(situation))
    stays = (
        done
        and situation.before.phase == "Stable"
        and situation.before.revision == situation.wanted
    )
    return Plan(
        stable=situation.wanted,
        status=RolloutStatus(
            phase="Stable" if done else "Progressing",
            revision=situation.wanted,
            stable=situation.wanted if done else stable,
            started_at=None if done else situation.before.started_at or stamp(situation.now),
            analysis=situation.before.analysis if stays else None,
            message=situation.before.message if stays else None,
        ),
    )


def _done(situation: Situation) -> bool:
    """Whether all stable pods have the wanted revision and serve."""
    found = situation.stable
    return found is not None and found.revision == situation.wanted and found.progress.serving


def _scaled(situation: Situation) -> bool:
    """Whether only the number of pods changes, which is no rollout."""
    same = situation.stable is not None and situation.stable.revision == situation.wanted
    return same and situation.before.phase == "Stable"


def _back(situation: Situation, stable: str, failure: FailedRevision) -> Plan:
    """Run the stable revision alone; the Deployment may still be on its way to it."""
    return Plan(
        stable=stable,
        status=RolloutStatus(
            phase="RolledBack",
            revision=situation.wanted,
            stable=stable,
            started_at=situation.before.started_at,
            analysis=situation.before.analysis
            if situation.before.phase == "RolledBack"
            else last_window(situation),
            failed=failure,
            message=f"{failure.revision} failed; {stable} is serving. {failure.message}",
        ),
    )


def _watched(situation: Situation) -> bool:
    """Whether the wanted revision becomes, or stays, a canary."""
    if situation.declared.strategy != "Canary" or situation.commands.promote == situation.wanted:
        return False
    if not same(situation):
        return situation.pods > 0  # without pods there is nothing to judge
    before = situation.before
    promoted = before.phase in {"Promoting", "Baking"}
    return not (promoted or (before.phase == "Halted" and before.step is None))


def _forward(situation: Situation, stable: str, failure: FailedRevision | None) -> Plan:
    """Replace the stable pods one by one; a canary's pods stay until that is done."""
    if failure is None and bakes(situation, done=_done(situation)):
        found = bake(situation, stable, done=_done(situation))
        if isinstance(found, Plan):
            return found
        only = _only(situation, situation.wanted)
        return replace(only, status=replace(only.status, analysis=found, message=_unjudged(found)))
    if _done(situation) and failure is None:
        return _only(situation, situation.wanted)
    canary = (
        situation.canary
        if situation.canary is not None and situation.canary.revision == situation.wanted
        else None
    )
    phase: Phase = "Promoting" if situation.declared.strategy == "Canary" else "Progressing"
    progress = None if situation.stable is None else situation.stable.progress
    text = "" if progress is None else f"{progress.updated} of {progress.wanted} pods are new."
    status = RolloutStatus(
        phase="Halted" if failure else phase,
        revision=situation.wanted,
        stable=stable,
        canary=None if canary is None else situation.wanted,
        weight=situation.before.weight if canary is not None else None,
        started_at=_started(situation),
        analysis=last_window(situation),
        stable_pods=situation.before.stable_pods if canary is not None else None,
        failed=failure,
        message=failure.message if failure else text,
    )
    return Plan(
        stable=situation.wanted,
        canary=None if canary is None else situation.wanted,
        canary_pods=0 if canary is None else canary.progress.wanted,
        weight=situation.before.weight or 0 if canary is not None else 0,
        stage=PROMOTION if _judged(situation, failure) else None,
        status=status,
    )


def _judged(situation: Situation, failure: FailedRevision | None) -> bool:
    """Whether pods are judged while they are being replaced."""
    promoted = situation.commands.promote == situation.wanted
    return (
        failure is None
        and not promoted
        and judged_by(situation.declared) is not None
        and situation.pods > 0
    )


def _unjudged(window: AnalysisStatus | None) -> str | None:
    """Return the message of a bake that ended without a verdict; None for one that passed."""
    return (
        None
        if window is None
        else f"It is serving, but its bake ended without a verdict: {window.message}"
    )


def _started(situation: Situation) -> str:
    same = situation.before.revision == situation.wanted and situation.before.phase not in {
        "RolledBack",
        "Stable",
    }
    return (situation.before.started_at if same else None) or stamp(situation.now)
