"""Why a revision is given up: a person, its pods, its deadline, or its analysis. Pure."""

from typing import Final

from msgspec.structs import replace

from orders_operator.api.conditions import Reason
from orders_operator.api.rollout import judged_by
from orders_operator.api.status import AnalysisStatus, FailedRevision
from orders_operator.rollout.pods import Failure
from orders_operator.rollout.situation import Situation, Track, moment, stamp

_STEPPING: Final = frozenset({"Canary", "Paused", "Promoting", "Baking", "Halted"})
"""Phases of a rollout that has begun and is not over."""
_ABORTED: Final = "Aborted by annotation orders.dev/abort."


def failed(situation: Situation) -> FailedRevision | None:
    """Return why the wanted revision was given up, earlier or now; None if it was not."""
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
    """Return the wanted revision's earlier failure, unless it should be tried again."""
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
    """Whether to roll back even if `rollback` is Manual: after an abort, or once it went back."""
    earlier = situation.before.failed
    same = earlier is not None and (earlier.revision, earlier.at) == (failure.revision, failure.at)
    back = situation.before.phase == "RolledBack" and same
    return failure.reason == Reason.ABORTED or back


def overdue(situation: Situation) -> bool:
    """Whether pods of the wanted revision are late, and it was not given up before."""
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
    """Return what is wrong with pods of the wanted revision, on either track."""
    for track in (situation.canary, situation.stable):
        if track is None or track.revision != situation.wanted:
            continue
        if track.failure is not None and not track.failure.may_pass:
            return track.failure
        if track.progress.late:
            return _late(situation, track)
    return None


def _of_step(situation: Situation) -> Failure | None:
    """Return the failure of a step whose pods are late."""
    return _late(situation, situation.canary) if _step_is_late(situation) else None


def _step_is_late(situation: Situation) -> bool:
    """Whether a step's pods are late: a Deployment's condition covers only the first ones."""
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
    """Return the failure of a deadline that has passed, with what is missing and why."""
    missing = "It has no pods." if track is None else track.shortfall
    return Failure(
        Reason.PROGRESS_DEADLINE_EXCEEDED,
        f"The deadline of {situation.deadline} s has passed. {missing}",
    )


def same(situation: Situation) -> bool:
    """Whether `status.rollout` is about the current rollout, not one that ended or begins anew."""
    return situation.before.phase in _STEPPING and _goes_on(situation)


def asleep(situation: Situation) -> bool:
    """Whether a canary that has begun was scaled to 0 before its end, so nothing can be judged.

    A revision that was declared while there were no pods was no canary: it was promoted without a
    measurement.
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
    """Whether `status.rollout` is about the wanted revision, and it is not being tried again."""
    retried = situation.before.failed is not None and remembered(situation) is None
    return situation.before.revision == situation.wanted and not retried


def last_window(situation: Situation) -> AnalysisStatus | None:
    """Return the last window, with the numbers of this rollout's passed and failed windows."""
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
