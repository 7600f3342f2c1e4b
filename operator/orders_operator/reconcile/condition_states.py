"""Derives the state of each condition from what was observed. Pure.

`api.conditions` declares the conditions and says what they mean.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from orders_operator.api.conditions import ConditionType, Reason
from orders_operator.reconcile.kstatus import kstatus
from orders_operator.reconcile.observed import ConditionState, Observed
from orders_operator.rollout import pods
from orders_operator.rollout.pods import Failure
from orders_operator.rollout.progress import Progress

MONITORING: Final = "monitoring.coreos.com"
_HOW: Final = {
    "Canary": Reason.CANARY,
    "Paused": Reason.ROLLOUT_PAUSED,
    "Promoting": Reason.ROLLING_OUT,
    "Baking": Reason.BAKING,
}
"""The reason of Progressing, by the phase of the rollout."""


def condition_states(
    observed: Observed, before: Mapping[str, Any]
) -> dict[ConditionType, ConditionState]:
    """Return the state of every condition.

    Args:
        observed: what the pass found.
        before: the status as it was.

    """
    stable = observed.tracks.stable.track
    state = None if stable is None else stable.progress
    failure = _failure(observed)
    said = {
        ConditionType.READY: _ready(observed, state, failure),
        ConditionType.PROGRESSING: _progressing(observed, state, failure),
        ConditionType.DEGRADED: _degraded(failure),
        ConditionType.MIGRATED: _migrated(observed, before),
        ConditionType.MONITORING_READY: _monitoring(observed, failure),
        ConditionType.PAUSED: paused(observed),
    }
    return said | kstatus(observed, said)


def paused(observed: Observed) -> ConditionState:
    """Return the state of Paused."""
    if observed.paused:
        return ConditionState("True", Reason.PAUSED, "spec.paused is true.")
    return ConditionState("False", Reason.RECONCILING, "The resource is reconciled.")


def ordered(failures: Sequence[Failure]) -> tuple[Failure, ...]:
    """Join failures of one reason, and sort them, the most serious reason first."""
    weights = (Reason.SECRET_MISSING, Reason.NAME_CONFLICT)
    by_reason: dict[Reason, list[str]] = {}
    for failure in failures:
        by_reason.setdefault(failure.reason, []).append(failure.message)
    joined = [
        Failure(reason, "; ".join(dict.fromkeys(texts))) for reason, texts in by_reason.items()
    ]
    return tuple(
        sorted(
            joined,
            key=lambda failure: (
                weights.index(failure.reason) if failure.reason in weights else len(weights)
            ),
        )
    )


def _failure(observed: Observed) -> Failure | None:
    """Return the most serious failure; None without any."""
    if observed.invalid is not None:
        return Failure(Reason.INVALID_SPEC, observed.invalid)
    if observed.failures:
        return observed.failures[0]
    return (
        _of_database(observed)
        or _of_rollout(observed)
        or _of_pods(observed)
        or _of_cluster(observed)
    )


def _of_database(observed: Observed) -> Failure | None:
    """Return why the embedded database does not serve, for pods fail without it."""
    return observed.database


def _of_rollout(observed: Observed) -> Failure | None:
    """Return why the revision that the spec asks for was given up."""
    rollout = observed.rollout
    if rollout is None or rollout.failed is None:
        return None
    return Failure(_reason(rollout.failed.reason), rollout.message or rollout.failed.message)


def _reason(text: str) -> Reason:
    """Return a reason of the closed set: Unavailable for one that only another release knows."""
    return next((reason for reason in Reason if reason == text), Reason.UNAVAILABLE)


def _of_pods(observed: Observed) -> Failure | None:
    failure = pods.failure((*observed.tracks.canary.pods, *observed.tracks.stable.pods))
    if failure is not None:
        return failure
    stable, canary = observed.tracks.stable.track, observed.tracks.canary.track
    if canary is not None and canary.progress.refused:
        return Failure(Reason.PODS_REFUSED, canary.progress.refused)
    if stable is not None and stable.progress.late:
        return Failure(Reason.PROGRESS_DEADLINE_EXCEEDED, stable.shortfall)
    if stable is not None and stable.progress.refused:
        return Failure(Reason.PODS_REFUSED, stable.progress.refused)
    return None


def _of_cluster(observed: Observed) -> Failure | None:
    others = [api for api in observed.absent if not api.startswith(MONITORING)]
    return Failure(Reason.CRD_MISSING, _lacks(others)) if others else None


def _ready(observed: Observed, state: Progress | None, failure: Failure | None) -> ConditionState:
    """Return whether any revision serves callers, whatever the progress of a rollout."""
    canary = observed.tracks.canary.track
    tracks = [
        progress
        for progress in (state, canary.progress if canary else None)
        if progress is not None
    ]
    ready, wanted = sum(track.ready for track in tracks), sum(track.wanted for track in tracks)
    if ready:
        return ConditionState("True", Reason.AVAILABLE, f"{ready} of {wanted} pods serve.")
    if state is not None and state.wanted == 0:
        return ConditionState("True", Reason.AVAILABLE, "Scaled to zero.")
    if observed.hidden and state is None:
        said = failure or Failure(Reason.UNAVAILABLE, "The Deployment cannot be read.")
        return ConditionState("Unknown", said.reason, said.message)
    if failure is not None:
        return ConditionState("False", failure.reason, failure.message)
    if state is not None and _has_served(observed, state):
        return ConditionState("False", Reason.UNAVAILABLE, f"None of {wanted} pods serve.")
    return ConditionState("False", Reason.ROLLING_OUT, _under_way(observed, state))


def _has_served(observed: Observed, state: Progress) -> bool:
    """Whether pods served before: then a lack of serving pods is not part of a rollout."""
    stable = None if observed.rollout is None else observed.rollout.stable
    return stable is not None or (state.current and state.complete)


def _under_way(observed: Observed, state: Progress | None) -> str:
    """Return the progress of a rollout as a message."""
    if state is None:
        return "The Deployment is being created."
    return observed.message if observed.stepping else _share(state)


def _progressing(
    observed: Observed, state: Progress | None, failure: Failure | None
) -> ConditionState:
    rollout = observed.rollout
    if rollout is not None and rollout.phase in _HOW and observed.stepping:
        doubt = rollout.analysis is not None and rollout.analysis.verdict == "Inconclusive"
        doubted = doubt and rollout.phase == "Canary"
        reason = Reason.INCONCLUSIVE if doubted else _HOW[rollout.phase]
        return ConditionState("True", reason, observed.message)
    gave_up = rollout is not None and rollout.phase in {"RolledBack", "Halted"}
    if failure is not None and gave_up:
        return ConditionState("False", failure.reason, failure.message)
    if state is not None and state.current and state.complete:
        if rollout is not None and rollout.phase == "Stable" and rollout.message:
            return ConditionState("False", Reason.UNJUDGED, rollout.message)
        return ConditionState("False", Reason.ROLLED_OUT, "The newest revision is rolled out.")
    if failure is not None:
        return ConditionState("False", failure.reason, failure.message)
    return ConditionState("True", Reason.ROLLING_OUT, _under_way(observed, state))


def _degraded(failure: Failure | None) -> ConditionState:
    if failure is None:
        return ConditionState("False", Reason.AS_EXPECTED, "No persistent problem.")
    return ConditionState("True", failure.reason, failure.message)


def _migrated(observed: Observed, before: Mapping[str, Any]) -> ConditionState:
    if not observed.migrations:
        return ConditionState(
            "Unknown", Reason.MIGRATIONS_DISABLED, "Migrations are switched off."
        )
    wrong = pods.failure(observed.newest)
    if wrong is not None and wrong.reason == Reason.MIGRATION_FAILED:
        return ConditionState("False", Reason.MIGRATION_FAILED, wrong.message)
    failed = observed.rollout.failed if observed.rollout is not None else None
    if failed is not None and failed.reason == Reason.MIGRATION_FAILED:
        return ConditionState("False", Reason.MIGRATION_FAILED, failed.message)
    done = pods.migration(observed.newest)
    if done is not None:
        return ConditionState("True", Reason.MIGRATED, f"The schema is at version {done.schema}.")
    old = {condition["type"]: condition for condition in before.get("conditions") or []}.get(
        ConditionType.MIGRATED
    )
    if old is not None and not observed.newest:  # scaled to 0: the schema stays migrated
        return ConditionState(old["status"], Reason(old["reason"]), old["message"])
    return ConditionState(
        "Unknown", Reason.MIGRATING, "No pod of the newest revision has migrated yet."
    )


def _monitoring(observed: Observed, failure: Failure | None) -> ConditionState:
    if not observed.monitoring:
        return ConditionState("False", Reason.MONITORING_DISABLED, "Monitoring is switched off.")
    absent = [api for api in observed.absent if api.startswith(MONITORING)]
    if absent:
        return ConditionState("False", Reason.CRD_MISSING, _lacks(absent))
    if failure is not None and failure.reason is Reason.INVALID_SPEC:
        return ConditionState("Unknown", failure.reason, failure.message)
    conflict = next(
        (failure for failure in observed.failures if "ServiceMonitor" in failure.message), None
    )
    if conflict is not None:
        return ConditionState("False", conflict.reason, conflict.message)
    return ConditionState(
        "True", Reason.SERVICE_MONITOR_APPLIED, "A ServiceMonitor selects the pods."
    )


def _lacks(apis: Sequence[str]) -> str:
    return f"The cluster has no {', '.join(apis)}."


def _share(state: Progress) -> str:
    if not state.current:
        return "The Deployment has not been read yet."
    return f"{state.updated} of {state.wanted} pods are new, {state.available} serve."
