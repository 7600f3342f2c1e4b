"""Why a revision is given up: a person, its pods, its deadline, or its analysis. Pure."""

from typing import Final

from msgspec.structs import replace

from orders_operator.api.conditions import Reason
from orders_operator.api.rollout import judged_by
from orders_operator.api.status import AnalysisStatus, FailedRevision
from orders_operator.rollout.pods import Trouble
from orders_operator.rollout.situation import Situation, Track, moment, stamp

_STEPPING: Final = frozenset({"Canary", "Paused", "Promoting", "Baking", "Halted"})
"""Phases of a canary that has begun."""
_ABORTED: Final = "Aborted by annotation orders.dev/abort."


def failed(it: Situation) -> FailedRevision | None:
    """Return why the wanted revision is not to be had, by an earlier verdict or by a new one."""
    if it.before.phase == "Halted" and it.commands.abort == it.wanted:
        return _given_up(it, Trouble(Reason.ABORTED, _ABORTED))
    earlier = remembered(it)
    promoted = it.before.phase == "Halted" and it.commands.promote == it.wanted
    if earlier is not None and not promoted:
        return earlier
    found = _trouble(it)
    if found is None:
        return None
    return earlier or _given_up(it, found)


def _given_up(it: Situation, trouble: Trouble) -> FailedRevision:
    return FailedRevision(
        it.wanted, trouble.reason, trouble.message, stamp(it.now), content=it.content or ""
    )


def remembered(it: Situation) -> FailedRevision | None:
    """Return the earlier verdict on the wanted revision, unless it is to be tried again."""
    earlier = it.before.failed
    if earlier is None or earlier.revision != it.wanted or it.commands.retries(earlier):
        return None
    known = earlier.content is not None and it.content is not None
    return None if known and earlier.content != it.content else earlier


def final(it: Situation, failure: FailedRevision) -> bool:
    """Whether it goes back though `rollback` is Manual: somebody said so, or it did before."""
    earlier = it.before.failed
    same = earlier is not None and (earlier.revision, earlier.at) == (failure.revision, failure.at)
    back = it.before.phase == "RolledBack" and same
    return failure.reason == Reason.ABORTED or back


def overdue(it: Situation) -> bool:
    """Whether pods of the wanted revision are late, and it is not given up for anything yet."""
    if remembered(it) is not None or asleep(it):
        return False
    tracks = (track for track in (it.canary, it.stable) if track is not None)
    late = any(track.progress.late for track in tracks if track.revision == it.wanted)
    return late or _step_is_late(it)


def _trouble(it: Situation) -> Trouble | None:
    if it.commands.abort == it.wanted:
        return Trouble(Reason.ABORTED, _ABORTED)
    if asleep(it):
        return None
    return _of_pods(it) or _of_step(it) or _of_analysis(it)


def _of_pods(it: Situation) -> Trouble | None:
    """Return what is wrong with pods of the wanted revision, wherever they run."""
    for track in (it.canary, it.stable):
        if track is None or track.revision != it.wanted:
            continue
        if track.trouble is not None and not track.trouble.may_pass:
            return track.trouble
        if track.progress.late:
            return _late(it, track)
    return None


def _of_step(it: Situation) -> Trouble | None:
    """Return that a step's pods do not come."""
    return _late(it, it.canary) if _step_is_late(it) else None


def _step_is_late(it: Situation) -> bool:
    """Whether a step's pods take too long: a Deployment says so of its first ones only."""
    entered = moment(it.before.step_at)
    if entered is None or not same(it) or it.before.step is None or it.before.settled_at:
        return False
    return (it.now - entered).total_seconds() > it.deadline


def _of_analysis(it: Situation) -> Trouble | None:
    found = seen(it)
    analysis = judged_by(it.declared)
    if found is None or analysis is None or it.commands.promote == it.wanted:
        return None
    if found.failures <= analysis.failure_limit:
        return None
    return Trouble(Reason.ANALYSIS_FAILED, found.message)


def _late(it: Situation, track: Track | None) -> Trouble:
    """Return that the deadline is over, with what is missing and why."""
    missing = "It has no pods." if track is None else track.shortfall
    return Trouble(
        Reason.PROGRESS_DEADLINE_EXCEEDED, f"The deadline of {it.deadline} s has passed. {missing}"
    )


def same(it: Situation) -> bool:
    """Whether the state is that of this very rollout, not of one that ended or begins anew."""
    return it.before.phase in _STEPPING and _goes_on(it)


def asleep(it: Situation) -> bool:
    """Whether a canary has begun, is not through, and was scaled to none: nothing can be said.

    What was declared without pods was no canary: it was promoted with nothing measured.
    """
    if it.pods or it.declared.strategy != "Canary" or it.commands.promote == it.wanted:
        return False
    promoting = it.before.phase == "Promoting" and it.before.analysis is not None
    return same(it) and (promoting or it.before.phase in {"Canary", "Paused"})


def _goes_on(it: Situation) -> bool:
    """Whether the wanted revision is the one that the state is of, and not tried anew."""
    retried = it.before.failed is not None and remembered(it) is None
    return it.before.revision == it.wanted and not retried


def seen(it: Situation) -> AnalysisStatus | None:
    """Return the last window, with what all windows of this rollout came to."""
    ended = it.before.phase in {"Stable", "RolledBack"}
    before = it.before.analysis if _goes_on(it) and not ended else None
    if it.measured is None:
        return before
    passes = 0 if before is None else before.passes
    failures = 0 if before is None else before.failures
    return replace(
        it.measured,
        passes=passes + (it.measured.verdict == "Passed"),
        failures=failures + (it.measured.verdict == "Failed"),
    )
