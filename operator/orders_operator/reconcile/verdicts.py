"""What each condition says of what was observed. Pure.

What the conditions mean is told where they are declared, in `api.conditions`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from orders_operator.api.conditions import ConditionType, Reason
from orders_operator.reconcile.kstatus import kstatus
from orders_operator.reconcile.observed import Observed, Problem, Verdict
from orders_operator.rollout import pods
from orders_operator.rollout.progress import Progress

MONITORING: Final = "monitoring.coreos.com"
_HOW: Final = {
    "Canary": Reason.CANARY,
    "Paused": Reason.ROLLOUT_PAUSED,
    "Promoting": Reason.ROLLING_OUT,
    "Baking": Reason.BAKING,
}
"""The reason of Progressing, by the phase of the rollout."""


def verdicts(seen: Observed, before: Mapping[str, Any]) -> dict[ConditionType, Verdict]:
    """Return what each condition says."""
    stable = seen.tracks.stable.track
    state = None if stable is None else stable.progress
    problem = _problem(seen)
    said = {
        ConditionType.READY: _ready(seen, state, problem),
        ConditionType.PROGRESSING: _progressing(seen, state, problem),
        ConditionType.DEGRADED: _degraded(problem),
        ConditionType.MIGRATED: _migrated(seen, before),
        ConditionType.MONITORING_READY: _monitoring(seen, problem),
        ConditionType.PAUSED: paused(seen),
    }
    return said | kstatus(seen, said)


def paused(seen: Observed) -> Verdict:
    """Return whether the resource is left alone because it says so."""
    if seen.paused:
        return Verdict("True", Reason.PAUSED, "spec.paused is true.")
    return Verdict("False", Reason.RECONCILING, "The resource is reconciled.")


def ordered(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Sort problems by weight, and join those of one reason."""
    weights = (Reason.SECRET_MISSING, Reason.NAME_CONFLICT)
    by_reason: dict[Reason, list[str]] = {}
    for problem in problems:
        by_reason.setdefault(problem.reason, []).append(problem.message)
    joined = [
        Problem(reason, "; ".join(dict.fromkeys(texts))) for reason, texts in by_reason.items()
    ]
    return tuple(
        sorted(
            joined,
            key=lambda it: weights.index(it.reason) if it.reason in weights else len(weights),
        )
    )


def _problem(seen: Observed) -> Problem | None:
    """Return what weighs most."""
    if seen.invalid is not None:
        return Problem(Reason.INVALID_SPEC, seen.invalid)
    if seen.problems:
        return seen.problems[0]
    return _of_database(seen) or _of_rollout(seen) or _of_pods(seen) or _of_cluster(seen)


def _of_database(seen: Observed) -> Problem | None:
    """Return why the embedded database does not serve: pods fail for want of it."""
    found = seen.database
    return None if found is None else Problem(found.reason, found.message)


def _of_rollout(seen: Observed) -> Problem | None:
    """Return why the revision that the spec asks for is not had."""
    found = seen.rollout
    if found is None or found.failed is None:
        return None
    return Problem(_reason(found.failed.reason), found.message or found.failed.message)


def _reason(text: str) -> Reason:
    """Return a reason of the closed set, whatever another release wrote."""
    return next((it for it in Reason if it == text), Reason.UNAVAILABLE)


def _of_pods(seen: Observed) -> Problem | None:
    wrong = pods.trouble((*seen.tracks.canary.pods, *seen.tracks.stable.pods))
    if wrong is not None:
        return Problem(wrong.reason, wrong.message)
    stable, canary = seen.tracks.stable.track, seen.tracks.canary.track
    if canary is not None and canary.progress.refused:
        return Problem(Reason.PODS_REFUSED, canary.progress.refused)
    if stable is not None and stable.progress.late:
        return Problem(Reason.PROGRESS_DEADLINE_EXCEEDED, stable.shortfall)
    if stable is not None and stable.progress.refused:
        return Problem(Reason.PODS_REFUSED, stable.progress.refused)
    return None


def _of_cluster(seen: Observed) -> Problem | None:
    others = [it for it in seen.absent if not it.startswith(MONITORING)]
    return Problem(Reason.CRD_MISSING, _lacks(others)) if others else None


def _ready(seen: Observed, state: Progress | None, problem: Problem | None) -> Verdict:
    """Say whether callers are served, by whichever revision: not how far a rollout is."""
    canary = seen.tracks.canary.track
    tracks = [it for it in (state, canary.progress if canary else None) if it is not None]
    ready, wanted = sum(it.ready for it in tracks), sum(it.wanted for it in tracks)
    if ready:
        return Verdict("True", Reason.AVAILABLE, f"{ready} of {wanted} pods serve.")
    if state is not None and state.wanted == 0:
        return Verdict("True", Reason.AVAILABLE, "Scaled to no pods.")
    if seen.hidden and state is None:
        said = problem or Problem(Reason.UNAVAILABLE, "The Deployment cannot be read.")
        return Verdict("Unknown", said.reason, said.message)
    if problem is not None:
        return Verdict("False", problem.reason, problem.message)
    if state is not None and _has_served(seen, state):
        return Verdict("False", Reason.UNAVAILABLE, f"None of {wanted} pods serve.")
    return Verdict("False", Reason.ROLLING_OUT, _under_way(seen, state))


def _has_served(seen: Observed, state: Progress) -> bool:
    """Whether pods served before: then that none does is no part of a rollout."""
    stable = None if seen.rollout is None else seen.rollout.stable
    return stable is not None or (state.current and state.complete)


def _under_way(seen: Observed, state: Progress | None) -> str:
    """Say how far a rollout is."""
    if state is None:
        return "The Deployment is being created."
    return seen.message if seen.stepping else _share(state)


def _progressing(seen: Observed, state: Progress | None, problem: Problem | None) -> Verdict:
    rollout = seen.rollout
    if rollout is not None and rollout.phase in _HOW and seen.stepping:
        doubt = rollout.analysis is not None and rollout.analysis.verdict == "Inconclusive"
        doubted = doubt and rollout.phase == "Canary"
        reason = Reason.INCONCLUSIVE if doubted else _HOW[rollout.phase]
        return Verdict("True", reason, seen.message)
    gave_up = rollout is not None and rollout.phase in {"RolledBack", "Halted"}
    if problem is not None and gave_up:
        return Verdict("False", problem.reason, problem.message)
    if state is not None and state.current and state.complete:
        if rollout is not None and rollout.phase == "Stable" and rollout.message:
            return Verdict("False", Reason.UNJUDGED, rollout.message)
        return Verdict("False", Reason.ROLLED_OUT, "The newest revision is rolled out.")
    if problem is not None:
        return Verdict("False", problem.reason, problem.message)
    return Verdict("True", Reason.ROLLING_OUT, _under_way(seen, state))


def _degraded(problem: Problem | None) -> Verdict:
    if problem is None:
        return Verdict("False", Reason.AS_EXPECTED, "No persistent problem.")
    return Verdict("True", problem.reason, problem.message)


def _migrated(seen: Observed, before: Mapping[str, Any]) -> Verdict:
    if not seen.migrations:
        return Verdict("Unknown", Reason.MIGRATIONS_DISABLED, "Migrations are switched off.")
    wrong = pods.trouble(seen.newest)
    if wrong is not None and wrong.reason == Reason.MIGRATION_FAILED:
        return Verdict("False", Reason.MIGRATION_FAILED, wrong.message)
    failed = seen.rollout.failed if seen.rollout is not None else None
    if failed is not None and failed.reason == Reason.MIGRATION_FAILED:
        return Verdict("False", Reason.MIGRATION_FAILED, failed.message)
    done = pods.migration(seen.newest)
    if done is not None:
        return Verdict("True", Reason.MIGRATED, f"The schema is at version {done.schema}.")
    old = {it["type"]: it for it in before.get("conditions") or []}.get(ConditionType.MIGRATED)
    if old is not None and not seen.newest:  # scaled to no pods: what was migrated stays so
        return Verdict(old["status"], Reason(old["reason"]), old["message"])
    return Verdict("Unknown", Reason.MIGRATING, "No pod of the newest revision has migrated yet.")


def _monitoring(seen: Observed, problem: Problem | None) -> Verdict:
    if not seen.monitoring:
        return Verdict("False", Reason.MONITORING_DISABLED, "Monitoring is switched off.")
    absent = [it for it in seen.absent if it.startswith(MONITORING)]
    if absent:
        return Verdict("False", Reason.CRD_MISSING, _lacks(absent))
    if problem is not None and problem.reason is Reason.INVALID_SPEC:
        return Verdict("Unknown", problem.reason, problem.message)
    conflict = next((it for it in seen.problems if "ServiceMonitor" in it.message), None)
    if conflict is not None:
        return Verdict("False", conflict.reason, conflict.message)
    return Verdict("True", Reason.SERVICE_MONITOR_APPLIED, "A ServiceMonitor selects the pods.")


def _lacks(apis: Sequence[str]) -> str:
    return f"The cluster has no {', '.join(apis)}."


def _share(state: Progress) -> str:
    if not state.current:
        return "The Deployment has not been read yet."
    return f"{state.updated} of {state.wanted} pods are new, {state.available} serve."
