"""What a rollout does next: a pure function of what is declared, what was said last, and what is.

The same facts always give the same plan; only `now` moves it on.
"""

from typing import Final

from msgspec.structs import replace

from orders_operator.api.fields import seconds
from orders_operator.api.rollout import Step
from orders_operator.api.status import AnalysisStatus, FailedRevision, RolloutStatus
from orders_operator.rollout.failure import failed, final, same, seen
from orders_operator.rollout.share import canary_pods, share
from orders_operator.rollout.situation import Plan, Situation, moment, stamp

_RECENT: Final = 2
"""Windows after which one that passed says nothing of now."""


def plan(it: Situation) -> Plan:
    """Decide."""
    stable = _stable(it)
    if stable is None or stable == it.wanted:
        return _only(it, stable)
    failure = failed(it)
    if failure is not None and (it.declared.rollback == "Automatic" or final(it, failure)):
        return _back(it, stable, failure)
    if _watched(it):
        return _canary(it, stable, failure)
    return _forward(it, stable, failure)


def held_back(found: Plan) -> Plan:
    """Return a plan whose canary pods could not be asked for, which is not their fault.

    The time that they may take begins when they can be.
    """
    return replace(found, status=replace(found.status, step_at=None))


def _stable(it: Situation) -> str | None:
    """Return the revision to go back to: the last that was rolled out and is still kept."""
    if it.before.stable in it.known:
        return it.before.stable
    if it.stable is not None and it.stable.progress.serving and it.stable.revision in it.known:
        return it.stable.revision
    return None


def _only(it: Situation, stable: str | None) -> Plan:
    """Have one revision: the first, or the stable one again."""
    done = _done(it) or (stable is not None and _scaled(it))
    return Plan(
        stable=it.wanted,
        status=RolloutStatus(
            phase="Stable" if done else "Progressing",
            revision=it.wanted,
            stable=it.wanted if done else stable,
            started_at=None if done else it.before.started_at or stamp(it.now),
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
            message=f"{failure.revision} failed, {stable} serves. {failure.message}",
        ),
    )


def _watched(it: Situation) -> bool:
    """Whether the wanted revision is, or stays, a canary."""
    if it.declared.strategy != "Canary" or it.commands.promote == it.wanted:
        return False
    if not same(it):
        return it.pods > 0  # without pods there is nothing to compare it with
    before = it.before
    return not (before.phase == "Promoting" or (before.phase == "Halted" and before.step is None))


def _forward(it: Situation, stable: str, failure: FailedRevision | None) -> Plan:
    """Replace the stable pods one by one; a canary's stay beside them until that is done."""
    canary = it.canary if it.canary is not None and it.canary.revision == it.wanted else None
    if _done(it) and failure is None:
        return _only(it, it.wanted)
    phase = "Promoting" if it.declared.strategy == "Canary" else "Progressing"
    progress = None if it.stable is None else it.stable.progress
    text = "" if progress is None else f"{progress.updated} of {progress.wanted} pods are new."
    status = RolloutStatus(
        phase="Halted" if failure else phase,  # type: ignore[arg-type]
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
        status=status,
    )


def _canary(it: Situation, stable: str, failure: FailedRevision | None) -> Plan:
    """Go on with the step, or to the next one."""
    now = stamp(it.now)
    steps = it.declared.canary.steps
    before = it.before
    if not same(it) or before.canary != it.wanted:  # it begins
        before = RolloutStatus(
            phase="Canary", step=1, started_at=now, step_at=now, stable_pods=it.pods
        )
    if before.step_at is None:  # its pods could not be asked for
        before = replace(before, step_at=now)
    analysis = seen(it)
    number = min(before.step or 1, len(steps))
    if number != before.step:  # there were more steps
        before = replace(before, step_at=now, settled_at=None)
        analysis = None if analysis is None else replace(analysis, passes=0)
    step = steps[number - 1]
    pods = canary_pods(it.pods, step.weight, exact=it.exact)
    settled_at = before.settled_at
    if settled_at is None and _serves(it, pods):
        settled_at = now
    left = _left(it, step, settled_at)
    held = it.commands.pause == it.wanted
    passed = before.settled_at is not None and _serves(it, pods) and _passed(it, analysis)
    if failure is None and not held and left == 0 and passed:
        if number == len(steps):
            return _forward(
                replace(it, before=replace(it.before, phase="Promoting")), stable, None
            )
        number, step = number + 1, steps[number]
        pods = canary_pods(it.pods, step.weight, exact=it.exact)
        before = replace(before, step_at=now)
        settled_at = now if _serves(it, pods) else None
        analysis = None if analysis is None else replace(analysis, passes=0)
        left = _left(it, step, settled_at)
    weight = _weight(it, step, pods, before.weight if settled_at is None else None)
    phase = "Halted" if failure else "Paused" if held else "Canary"
    status = RolloutStatus(
        phase=phase,  # type: ignore[arg-type]
        revision=it.wanted,
        stable=stable,
        canary=it.wanted,
        step=number,
        steps=len(steps),
        weight=weight,
        started_at=before.started_at,
        step_at=before.step_at,
        settled_at=settled_at,
        analysis=analysis,
        stable_pods=before.stable_pods,
        failed=failure,
        message=failure.message if failure else _told(it, number, pods, settled_at, analysis),
    )
    return Plan(
        stable=stable,
        canary=it.wanted,
        canary_pods=pods,
        weight=weight if it.exact else 0,
        measuring=settled_at is not None,
        again=None if failure else (left or None) if settled_at else _overdue(it, before),
        status=status,
    )


def _started(it: Situation) -> str:
    same = it.before.revision == it.wanted and it.before.phase not in {"RolledBack", "Stable"}
    return (it.before.started_at if same else None) or stamp(it.now)


def _serves(it: Situation, pods: int) -> bool:
    """Whether all canary pods of a step serve."""
    found = it.canary
    return (
        found is not None
        and found.revision == it.wanted
        and found.progress.serving
        and found.progress.wanted == pods
        and found.progress.available >= pods
    )


def _left(it: Situation, step: Step, settled_at: str | None) -> float:
    """Return the seconds until a step may end."""
    since = moment(settled_at)
    if since is None:
        return float(seconds(step.duration))
    return max(0.0, seconds(step.duration) - (it.now - since).total_seconds())


def _passed(it: Situation, analysis: AnalysisStatus | None) -> bool:
    """Whether the step was seen to be good, and that is the last, and no old news."""
    if analysis is None or analysis.passes == 0 or analysis.verdict != "Passed":
        return False
    at = moment(analysis.at)
    recent = _RECENT * seconds(it.declared.canary.analysis.interval)
    return at is not None and (it.now - at).total_seconds() <= recent


def _overdue(it: Situation, before: RolloutStatus) -> float:
    """Return the seconds until the pods of a step are late."""
    entered = moment(before.step_at) or it.now
    return max(1.0, it.deadline + 1 - (it.now - entered).total_seconds())


def _weight(it: Situation, step: Step, pods: int, before: int | None) -> int:
    """Return the share that the canary gets: a Gateway waits for its pods."""
    if before is not None:
        return before
    if it.exact:
        return step.weight if it.canary is not None and it.canary.progress.available else 0
    return share(it.pods, pods)


def _told(
    it: Situation, number: int, pods: int, settled_at: str | None, analysis: AnalysisStatus | None
) -> str:
    steps = len(it.declared.canary.steps)
    where = f"Step {number} of {steps}"
    if settled_at is None:
        serving = 0 if it.canary is None else min(it.canary.progress.available, pods)
        return f"{where}: {serving} of {pods} canary pods serve."
    if analysis is None or (analysis.passes == 0 and analysis.verdict == "Passed"):
        return f"{where}: the first window is under way."
    return f"{where}: {analysis.message}"
