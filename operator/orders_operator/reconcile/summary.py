"""One place that turns what was observed into status: no step sets a condition. Pure.

What each condition says is told where they are declared, in `api.conditions`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from orders_operator.api.conditions import ConditionType, Reason
from orders_operator.reconcile import pods
from orders_operator.reconcile.events import Transition
from orders_operator.reconcile.observed import Observed, Problem
from orders_operator.reconcile.rollout import Rollout, rollout

Object = dict[str, Any]

MONITORING: Final = "monitoring.coreos.com"
MESSAGE_LENGTH: Final = 2048


class Verdict(Struct, frozen=True):
    """A condition without its times."""

    status: str
    reason: Reason
    message: str


def summarise(seen: Observed, before: Mapping[str, Any], now: datetime) -> Object:
    """Return the status; a condition that says what it said before keeps its time."""
    if seen.paused:
        return _paused(seen, before, now)
    state = None if seen.deployment is None else rollout(seen.deployment)
    problem = _problem(seen, state)
    verdicts = {
        ConditionType.READY: _ready(state, problem),
        ConditionType.PROGRESSING: _progressing(state, problem),
        ConditionType.DEGRADED: _degraded(problem),
        ConditionType.MIGRATED: _migrated(seen, before),
        ConditionType.MONITORING_READY: _monitoring(seen, problem),
        ConditionType.PAUSED: Verdict("False", Reason.RECONCILING, "The resource is reconciled."),
    }
    migration = pods.migration(seen.pods)
    image = pods.image(seen.pods, seen.image) or before.get("image")
    version = pods.tag(seen.image) if migration is None else migration.version
    found: Object = {
        "observedGeneration": seen.generation,
        "conditions": _conditions(verdicts, seen.generation, before, now),
        **_counts(seen, state, before),
        "selector": seen.selector or before.get("selector"),
        "url": seen.url or before.get("url"),
        "secretsHash": seen.secrets_hash or before.get("secretsHash"),
        "image": image,
        "version": before.get("version"),
        "schemaVersion": before.get("schemaVersion"),
    }
    if migration is not None:
        found |= {"version": migration.version, "schemaVersion": migration.schema}
    elif not seen.migrations and version and state is not None and state.serving:
        found["version"] = version
    return {name: value for name, value in found.items() if value is not None}


def _counts(seen: Observed, state: Rollout | None, before: Mapping[str, Any]) -> Object:
    """Return how many pods there are; nobody has looked while the spec cannot be read."""
    if seen.invalid is not None:
        return {name: before.get(name, 0) for name in ("replicas", "readyReplicas")}
    if state is None:
        return {"replicas": 0, "readyReplicas": 0}
    return {"replicas": state.total, "readyReplicas": state.ready}


def transitions(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Transition]:
    """Return the conditions that became something else, status or reason; the bad ones first."""
    old = {it["type"]: (it["status"], it["reason"]) for it in before.get("conditions") or []}
    found = []
    for it in after.get("conditions") or []:
        kind, status, reason = it["type"], it["status"], it["reason"]
        if old.get(kind) == (status, reason):
            continue
        if kind not in old and not _worth_telling(kind, status):
            continue
        found.append(Transition(kind, reason, it["message"], _bad(kind, status, reason)))
    return sorted(found, key=lambda it: (not it.bad, it.type != ConditionType.DEGRADED))


def statuses(status: Mapping[str, Any]) -> dict[str, str]:
    """Return each condition's status by its type."""
    return {it["type"]: it["status"] for it in status.get("conditions") or []}


def _problem(seen: Observed, state: Rollout | None) -> Problem | None:
    """Return what weighs most."""
    if seen.invalid is not None:
        return Problem(Reason.INVALID_SPEC, seen.invalid)
    if seen.problems:
        return seen.problems[0]
    wrong = pods.trouble(seen.pods)
    if wrong is not None:
        return Problem(wrong.reason, wrong.message)
    if state is not None and (state.late or state.refused):
        why = state.refused or f"{state.updated} of {state.wanted} pods are updated"
        late = Reason.PROGRESS_DEADLINE_EXCEEDED
        return Problem(late if state.late else Reason.PODS_REFUSED, why)
    others = [it for it in seen.absent if not it.startswith(MONITORING)]
    return Problem(Reason.CRD_MISSING, _lacks(others)) if others else None


def _ready(state: Rollout | None, problem: Problem | None) -> Verdict:
    if state is not None and state.serving and problem is None:
        if state.wanted == 0:
            return Verdict("True", Reason.AVAILABLE, "Scaled to no pods.")
        return Verdict(
            "True", Reason.AVAILABLE, f"{state.available} of {state.wanted} pods serve."
        )
    if problem is not None:
        return Verdict("False", problem.reason, problem.message)
    if state is None:
        return Verdict("False", Reason.ROLLING_OUT, "The Deployment is being made.")
    if state.current and state.complete:
        return Verdict("False", Reason.UNAVAILABLE, f"None of {state.wanted} pods serve.")
    return Verdict("False", Reason.ROLLING_OUT, _share(state))


def _progressing(state: Rollout | None, problem: Problem | None) -> Verdict:
    if state is not None and state.current and state.complete:
        return Verdict("False", Reason.ROLLED_OUT, "The newest revision is rolled out.")
    if problem is not None:
        return Verdict("False", problem.reason, problem.message)
    if state is None:
        return Verdict("True", Reason.ROLLING_OUT, "The Deployment is being made.")
    return Verdict("True", Reason.ROLLING_OUT, _share(state))


def _degraded(problem: Problem | None) -> Verdict:
    if problem is None:
        return Verdict("False", Reason.AS_EXPECTED, "Nothing is wrong that will not pass.")
    return Verdict("True", problem.reason, problem.message)


def _migrated(seen: Observed, before: Mapping[str, Any]) -> Verdict:
    if not seen.migrations:
        return Verdict("Unknown", Reason.MIGRATIONS_DISABLED, "Migrations are switched off.")
    wrong = pods.trouble(seen.pods)
    if wrong is not None and wrong.reason == Reason.MIGRATION_FAILED:
        return Verdict("False", Reason.MIGRATION_FAILED, wrong.message)
    done = pods.migration(seen.pods)
    if done is not None:
        return Verdict("True", Reason.MIGRATED, f"The schema is at version {done.schema}.")
    old = {it["type"]: it for it in before.get("conditions") or []}.get(ConditionType.MIGRATED)
    if old is not None and not seen.pods:  # scaled to no pods: what was migrated stays so
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


def _paused(seen: Observed, before: Mapping[str, Any], now: datetime) -> Object:
    """Return the status as it was, and that it is paused; nothing else was looked at."""
    verdict = {ConditionType.PAUSED: Verdict("True", Reason.PAUSED, "spec.paused is true.")}
    made = _conditions(verdict, seen.generation, before, now)
    kept = [it for it in before.get("conditions") or [] if it["type"] != ConditionType.PAUSED]
    return {**before, "conditions": kept + made}


def _conditions(
    verdicts: Mapping[ConditionType, Verdict],
    generation: int,
    before: Mapping[str, Any],
    now: datetime,
) -> list[Object]:
    old = {it["type"]: it for it in before.get("conditions") or []}
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = []
    for kind, verdict in verdicts.items():
        was = old.get(kind)
        same = was is not None and was["status"] == verdict.status
        made.append(
            {
                "type": str(kind),
                "status": verdict.status,
                "reason": str(verdict.reason),
                "message": verdict.message[:MESSAGE_LENGTH],
                "observedGeneration": generation,
                "lastTransitionTime": was["lastTransitionTime"] if was and same else stamp,
            }
        )
    return made


def _lacks(apis: Sequence[str]) -> str:
    return f"The cluster has no {', '.join(apis)}."


def _share(state: Rollout) -> str:
    if not state.current:
        return "The Deployment has not been looked at yet."
    return f"{state.updated} of {state.wanted} pods are new, {state.available} serve."


def _worth_telling(kind: str, status: str) -> bool:
    """Whether the first value of a condition is news."""
    if kind in {ConditionType.READY, ConditionType.MIGRATED}:
        return status == "True"
    if kind == ConditionType.MONITORING_READY:
        return status == "False"
    return status == "True"


def _bad(kind: str, status: str, reason: str) -> bool:
    if kind == ConditionType.DEGRADED:
        return status == "True"
    if reason in {Reason.MONITORING_DISABLED, Reason.ROLLING_OUT, Reason.MIGRATING}:
        return False
    good_when_true = {
        ConditionType.READY,
        ConditionType.MIGRATED,
        ConditionType.MONITORING_READY,
    }
    return kind in good_when_true and status == "False"


def ordered(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Sort problems by weight, and join those of one reason."""
    weights = (Reason.SECRET_MISSING, Reason.NAME_CONFLICT)
    by_reason: dict[Reason, list[str]] = {}
    for problem in problems:
        by_reason.setdefault(problem.reason, []).append(problem.message)
    joined = [Problem(reason, "; ".join(texts)) for reason, texts in by_reason.items()]
    return tuple(
        sorted(
            joined,
            key=lambda it: weights.index(it.reason) if it.reason in weights else len(weights),
        )
    )
