"""Why a revision is given up: a person, its pods, its deadline, or its analysis. Pure."""

from typing import Final

from msgspec.structs import replace

from orders_operator.api.conditions import Reason
from orders_operator.api.rollout import judged_by
from orders_operator.api.status import AnalysisStatus, FailedRevision
from orders_operator.rollout.pods import Failure
from orders_operator.rollout.situation import Situation, Track, moment, stamp

_STEPPING: Final = frozenset({"Canary", "Paused", "Promoting", "Baking", "Halted"})
"""Phases of a canary that has begun."""
_ABORTED: Final = "Aborted by annotation orders.dev/abort."


def failed(situation: Situation) -> FailedRevision | None:
    """Return why the wanted revision is not to be had, by an earlier verdict or by a new one."""
    if situation.before.phase == "Halted" and situation.commands.abort == situation.wanted:
        return _given_up(situation, Failure(Reason.ABORTED, _ABORTED))
    earlier = remembered(situation)
    promoted = (
        situation.before.phase == "Halted" and situation.commands.promote == situation.wanted
    )
    if earlier is not None and not promoted:
        return earlier
    failure = _failure(situation)
    if failure is None:
        return None
    return earlier or _given_up(situation, failure)


def _given_up(situation: Situation, failure: Failure) -> FailedRevision:
    return FailedRevision(
        situation.wanted,
        failure.reason,
        failure.message,
        stamp(situation.now),
        content=situation.content or "",
    )


def remembered(situation: Situation) -> FailedRevision | None:
    """Return the earlier verdict on the wanted revision, unless it is to be tried again."""
    earlier = situation.before.failed
    if (
        earlier is None
        or earlier.revision != situation.wanted
        or situation.commands.retries(earlier)
    ):
        return None
    known = earlier.content is not None and situation.content is not None
    return None if known and earlier.content != situation.content else earlier


def final(situation: Situation, failure: FailedRevision) -> bool:
    """Whether it goes back though `rollback` is Manual: somebody said so, or it did before."""
    earlier = situation.before.failed
    same = earlier is not None and (earlier.revision, earlier.at) == (failure.revision, failure.at)
    back = situation.before.phase == "RolledBack" and same
    return failure.reason == Reason.ABORTED or back


def overdue(situation: Situation) -> bool:
    """Whether pods of the wanted revision are late, and it is not given up for anything yet."""
    if remembered(situation) is not None or asleep(situation):
        return False
    tracks = (track for track in (situation.canary, situation.stable) if track is not None)
    late = any(track.progress.late for track in tracks if track.revision == situation.wanted)
    return late or _step_is_late(situation)


def _failure(situation: Situation) -> Failure | None:
    if situation.commands.abort == situation.wanted:
        return Failure(Reason.ABORTED, _ABORTED)
    if asleep(situation):
        return None
    return _of_pods(situation) or _of_step(situation) or _of_analysis(situation)


def _of_pods(situation: Situation) -> Failure | None:
    """Return what is wrong with pods of the wanted revision, wherever they run."""
    for track in (situation.canary, situation.stable):
        if track is None or track.revision != situation.wanted:
            continue
        if track.failure is not None and not track.failure.may_pass:
            return track.failure
        if track.progress.late:
            return _late(situation, track)
    return None


def _of_step(situation: Situation) -> Failure | None:
    """Return that a step's pods do not come."""
    return _late(situation, situation.canary) if _step_is_late(situation) else None


def _step_is_late(situation: Situation) -> bool:
    """Whether a step's pods take too long: a Deployment says so of its first ones only."""
    entered = moment(situation.before.step_at)
    if (
        entered is None
        or not same(situation)
        or situation.before.step is None
        or situation.before.settled_at
    ):
        return False
    return (situation.now - entered).total_seconds() > situation.deadline


def _of_analysis(situation: Situation) -> Failure | None:
    window = last_window(situation)
    analysis = judged_by(situation.declared)
    if window is None or analysis is None or situation.commands.promote == situation.wanted:
        return None
    if window.failures <= analysis.failure_limit:
        return None
    return Failure(Reason.ANALYSIS_FAILED, window.message)


def _late(situation: Situation, track: Track | None) -> Failure:
    """Return that the deadline is over, with what is missing and why."""
    missing = "It has no pods." if track is None else track.shortfall
    return Failure(
        Reason.PROGRESS_DEADLINE_EXCEEDED,
        f"The deadline of {situation.deadline} s has passed. {missing}",
    )


def same(situation: Situation) -> bool:
    """Whether the state is that of this very rollout, not of one that ended or begins anew."""
    return situation.before.phase in _STEPPING and _goes_on(situation)


def asleep(situation: Situation) -> bool:
    """Whether a canary has begun, is not through, and was scaled to none: nothing can be said.

    What was declared without pods was no canary: it was promoted with nothing measured.
    """
    if (
        situation.pods
        or situation.declared.strategy != "Canary"
        or situation.commands.promote == situation.wanted
    ):
        return False
    promoting = situation.before.phase == "Promoting" and situation.before.analysis is not None
    return same(situation) and (promoting or situation.before.phase in {"Canary", "Paused"})


def _goes_on(situation: Situation) -> bool:
    """Whether the wanted revision is the one that the state is of, and not tried anew."""
    retried = situation.before.failed is not None and remembered(situation) is None
    return situation.before.revision == situation.wanted and not retried


def last_window(situation: Situation) -> AnalysisStatus | None:
    """Return the last window, with what all windows of this rollout came to."""
    ended = situation.before.phase in {"Stable", "RolledBack"}
    before = situation.before.analysis if _goes_on(situation) and not ended else None
    if situation.measured is None:
        return before
    passes = 0 if before is None else before.passes
    failures = 0 if before is None else before.failures
    return replace(
        situation.measured,
        passes=passes + (situation.measured.verdict == "Passed"),
        failures=failures + (situation.measured.verdict == "Failed"),
    )
