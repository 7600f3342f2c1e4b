"""Why a revision is given up: a person, its pods, its deadline, or its analysis. Pure."""

from typing import Final

from msgspec.structs import replace

from orders_operator.api.conditions import Reason
from orders_operator.api.status import AnalysisStatus, FailedRevision
from orders_operator.rollout.pods import Trouble
from orders_operator.rollout.progress import Progress
from orders_operator.rollout.situation import Situation, moment, stamp

_STEPPING: Final = frozenset({"Canary", "Paused", "Promoting", "Halted"})
"""Phases in which there may be canary pods."""


def failed(it: Situation) -> FailedRevision | None:
    """Return why the wanted revision is not to be had, by an earlier verdict or by a new one."""
    earlier = it.before.failed
    if earlier is not None and earlier.revision == it.wanted:
        return None if it.commands.retries(earlier) else earlier
    found = _trouble(it)
    if found is None:
        return None
    return FailedRevision(it.wanted, found.reason, found.message, stamp(it.now))


def final(failed: FailedRevision) -> bool:
    """Whether a person asked for it: then `rollback: Manual` is no reason to stay."""
    return failed.reason == Reason.ABORTED


def _trouble(it: Situation) -> Trouble | None:
    if it.commands.abort == it.wanted:
        return Trouble(Reason.ABORTED, "It was told to by an annotation.")
    return _of_pods(it) or _of_step(it) or _of_analysis(it)


def _of_pods(it: Situation) -> Trouble | None:
    """Return what is wrong with pods of the wanted revision, wherever they run."""
    for track in (it.canary, it.stable):
        if track is None or track.revision != it.wanted:
            continue
        if track.trouble is not None and not track.trouble.may_pass:
            return track.trouble
        if track.progress.late or track.progress.refused:
            return _late(it, track.progress)
    return None


def _of_step(it: Situation) -> Trouble | None:
    """Return that a step's pods do not come: a Deployment says so of its first ones only."""
    entered = moment(it.before.step_at)
    if it.canary is None or entered is None or not same(it):
        return None
    waiting = it.before.step is not None and it.before.settled_at is None
    waited = (it.now - entered).total_seconds()
    return _late(it, it.canary.progress) if waiting and waited > it.deadline else None


def _of_analysis(it: Situation) -> Trouble | None:
    found = seen(it)
    if found is None or it.commands.promote == it.wanted:
        return None
    if found.failures <= it.declared.canary.analysis.failure_limit:
        return None
    return Trouble(Reason.ANALYSIS_FAILED, found.message)


def _late(it: Situation, progress: Progress) -> Trouble:
    if progress.refused:
        return Trouble(Reason.PODS_REFUSED, progress.refused)
    text = f"{progress.available} of {progress.wanted} pods serve after {it.deadline} s."
    return Trouble(Reason.PROGRESS_DEADLINE_EXCEEDED, text)


def same(it: Situation) -> bool:
    """Whether the state is that of this very rollout, and not one that ended."""
    return it.before.revision == it.wanted and it.before.phase in _STEPPING


def seen(it: Situation) -> AnalysisStatus | None:
    """Return the last window, with what all windows of this rollout came to."""
    ended = it.before.revision == it.wanted and it.before.phase == "RolledBack"
    before = it.before.analysis if same(it) or ended else None
    if it.measured is None:
        return before
    passes = 0 if before is None else before.passes
    failures = 0 if before is None else before.failures
    return replace(
        it.measured,
        passes=passes + (it.measured.verdict == "Passed"),
        failures=failures + (it.measured.verdict == "Failed"),
    )
