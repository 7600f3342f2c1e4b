"""The steps of a canary: how many pods it has, and when it goes on. Pure."""

from typing import Final

from msgspec.structs import replace

from orders_operator.api.fields import seconds
from orders_operator.api.rollout import Step
from orders_operator.api.status import AnalysisStatus, FailedRevision, Phase, RolloutStatus
from orders_operator.rollout.failure import last_window, same
from orders_operator.rollout.share import canary_pods, share
from orders_operator.rollout.situation import Plan, Situation, moment, stamp, step_stage

_RECENT: Final = 2
"""The intervals after which a window that passed no longer counts."""
_ASLEEP: Final = "Scaled to zero: the canary starts again at step 1 once there are pods."


def canary(situation: Situation, stable: str, failure: FailedRevision | None) -> Plan | None:
    """Stay at the step, or go to the next one; None once the last one has passed."""
    now = stamp(situation.now)
    steps = situation.declared.canary.steps
    before = situation.before
    if not same(situation) or before.canary != situation.wanted:  # the canary begins
        before = RolloutStatus(
            phase="Canary", step=1, started_at=now, step_at=now, stable_pods=situation.pods
        )
    if before.step_at is None:  # its Deployment could not be applied
        before = replace(before, step_at=now)
    analysis = last_window(situation)
    number = min(before.step or 1, len(steps))
    if number != before.step:  # there used to be more steps
        before = replace(before, step_at=now, settled_at=None)
        analysis = None if analysis is None else replace(analysis, passes=0)
    step = steps[number - 1]
    pods = canary_pods(situation.pods, step.weight, exact=situation.exact)
    settled_at = before.settled_at
    if settled_at is None and _serves(situation, pods):
        settled_at = now
    left = _left(situation, step, settled_at)
    held = situation.commands.pause == situation.wanted
    passed = (
        before.settled_at is not None and _serves(situation, pods) and _passed(situation, analysis)
    )
    if failure is None and not held and left == 0 and passed:
        if number == len(steps):
            return None
        number, step = number + 1, steps[number]
        pods = canary_pods(situation.pods, step.weight, exact=situation.exact)
        before = replace(before, step_at=now)
        settled_at = now if _serves(situation, pods) else None
        analysis = None if analysis is None else replace(analysis, passes=0)
        left = _left(situation, step, settled_at)
    weight = _weight(situation, step, pods, before.weight if settled_at is None else None)
    phase: Phase = "Halted" if failure else "Paused" if held else "Canary"
    status = RolloutStatus(
        phase=phase,
        revision=situation.wanted,
        stable=stable,
        canary=situation.wanted,
        step=number,
        steps=len(steps),
        weight=weight,
        started_at=before.started_at,
        step_at=before.step_at,
        settled_at=settled_at,
        analysis=analysis,
        stable_pods=before.stable_pods,
        failed=failure,
        message=failure.message
        if failure
        else _told(situation, number, pods, settled_at, analysis),
    )
    return Plan(
        stable=stable,
        canary=situation.wanted,
        canary_pods=pods,
        weight=weight if situation.exact else 0,
        stage=step_stage(number) if settled_at else None,
        again=None if failure else (left or None) if settled_at else _overdue(situation, before),
        status=status,
    )


def asleep(situation: Situation, stable: str) -> Plan:
    """Run no canary, and give no verdict, while there are no pods to judge."""
    held = situation.commands.pause == situation.wanted
    return Plan(
        stable=stable,
        status=RolloutStatus(
            phase="Paused" if held else "Canary",
            revision=situation.wanted,
            stable=stable,
            step=1,
            steps=len(situation.declared.canary.steps),
            started_at=situation.before.started_at,
            message=_ASLEEP,
        ),
    )


def _serves(situation: Situation, pods: int) -> bool:
    """Whether all canary pods of a step serve."""
    track = situation.canary
    return (
        track is not None
        and track.revision == situation.wanted
        and track.progress.serving
        and track.progress.wanted == pods
        and track.progress.available >= pods
    )


def _left(situation: Situation, step: Step, settled_at: str | None) -> float:
    """Return the seconds until a step may end."""
    since = moment(settled_at)
    if since is None:
        return float(seconds(step.duration))
    return max(0.0, seconds(step.duration) - (situation.now - since).total_seconds())


def _passed(situation: Situation, analysis: AnalysisStatus | None) -> bool:
    """Whether a recent window of the step passed, and no later one failed."""
    if analysis is None or analysis.passes == 0 or analysis.verdict != "Passed":
        return False
    at = moment(analysis.at)
    recent = _RECENT * seconds(situation.declared.canary.analysis.interval)
    return at is not None and (situation.now - at).total_seconds() <= recent


def _overdue(situation: Situation, before: RolloutStatus) -> float:
    """Return the seconds until the pods of a step are late."""
    entered = moment(before.step_at) or situation.now
    return max(1.0, situation.deadline + 1 - (situation.now - entered).total_seconds())


def _weight(situation: Situation, step: Step, pods: int, before: int | None) -> int:
    """Return the canary's share of requests; a Gateway gives it none until its pods serve."""
    if before is not None:
        return before
    if situation.exact:
        return (
            step.weight
            if situation.canary is not None and situation.canary.progress.available
            else 0
        )
    return share(situation.pods, pods)


def _told(
    situation: Situation,
    number: int,
    pods: int,
    settled_at: str | None,
    analysis: AnalysisStatus | None,
) -> str:
    steps = len(situation.declared.canary.steps)
    where = f"Step {number} of {steps}"
    if settled_at is None:
        serving = 0 if situation.canary is None else min(situation.canary.progress.available, pods)
        return f"{where}: {serving} of {pods} canary pods serve."
    if analysis is None or (analysis.passes == 0 and analysis.verdict == "Passed"):
        return f"{where}: the first window is under way."
    return f"{where}: {analysis.message}"
