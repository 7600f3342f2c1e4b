"""The one place that turns the observed state into status: no step sets a condition. Pure.

`api.conditions` declares the conditions and says what they mean.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from orders_operator.api.conditions import ConditionType, Reason
from orders_operator.objects import Object
from orders_operator.reconcile import kstatus
from orders_operator.reconcile.condition_states import condition_states, paused
from orders_operator.reconcile.events import Transition
from orders_operator.reconcile.observed import ConditionState, Observed
from orders_operator.rollout import pods
from orders_operator.rollout.progress import Progress
from orders_operator.rollout.situation import stamp

MESSAGE_LENGTH: Final = 2048
_COUNTED: Final = ("replicas", "readyReplicas", "stableReplicas")
_FOR_TOOLS: Final = frozenset({ConditionType.RECONCILING, ConditionType.STALLED})
"""Conditions that repeat what others say, so their changes make no Events."""


def summarise(observed: Observed, before: Mapping[str, Any], now: datetime) -> Object:
    """Return the status; a condition whose status stays the same keeps its transition time."""
    if observed.paused and observed.invalid is None:
        return _paused(observed, before, now)
    stable = observed.tracks.stable
    state = None if stable.track is None else stable.track.progress
    migration = pods.migration(stable.pods)
    image = pods.image(stable.pods, observed.image) or before.get("image")
    version = pods.tag(observed.image) if migration is None else migration.version
    found: Object = {
        "observedGeneration": observed.generation,
        "conditions": _conditions(
            condition_states(observed, before), observed.generation, before, now
        ),
        **_counts(observed, state, before),
        "selector": observed.selector or before.get("selector"),
        "url": observed.url or before.get("url"),
        "secretsHash": observed.secrets_hash or before.get("secretsHash"),
        "image": image,
        "version": before.get("version"),
        "schemaVersion": _schema(observed, before),
        "rollout": before.get("rollout"),
        "retainedClaim": before.get("retainedClaim") if observed.invalid else None,
        "autoscaled": before.get("autoscaled") if observed.invalid else None,
    }
    if observed.autoscaled is not None:
        found["autoscaled"] = msgspec.to_builtins(observed.autoscaled)
    if observed.retained_claim is not None:
        found["retainedClaim"] = msgspec.to_builtins(observed.retained_claim)
    if observed.rollout is not None:
        found["rollout"] = msgspec.to_builtins(observed.rollout)
    if migration is not None:
        found["version"] = migration.version
    elif not observed.migrations and version and state is not None and state.serving:
        found["version"] = version
    return {name: value for name, value in found.items() if value is not None}


def _schema(observed: Observed, before: Mapping[str, Any]) -> int | None:
    """Return the schema version of this database, including migrations by pods that are gone."""
    known: int | None = before.get("schemaVersion")
    migration = pods.migration(observed.newest)
    if migration is None:
        return known
    same = known is not None and before.get("secretsHash") == observed.secrets_hash
    return max(known, migration.schema) if same and known is not None else migration.schema


def _counts(observed: Observed, state: Progress | None, before: Mapping[str, Any]) -> Object:
    """Return the numbers of pods; those of before if pods or Deployments could not be read."""
    if observed.invalid is not None or observed.hidden:
        return {name: before.get(name, 0) for name in _COUNTED}
    canary = observed.tracks.canary.track
    progresses = [
        progress
        for progress in (state, canary.progress if canary else None)
        if progress is not None
    ]
    return {
        "replicas": sum(progress.total for progress in progresses),
        "readyReplicas": sum(progress.ready for progress in progresses),
        "stableReplicas": 0 if state is None else state.total,
    }


def transitions(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Transition]:
    """Return the conditions whose status or reason changed, the bad ones first."""
    old = {
        condition["type"]: (condition["status"], condition["reason"])
        for condition in before.get("conditions") or []
    }
    found = []
    for condition in after.get("conditions") or []:
        kind, status, reason = condition["type"], condition["status"], condition["reason"]
        if kind in _FOR_TOOLS or old.get(kind) == (status, reason):
            continue
        if kind not in old and not _worth_telling(kind, status):
            continue
        found.append(Transition(kind, reason, condition["message"], _bad(kind, status, reason)))
    step = _step(before.get("rollout") or {}, after.get("rollout") or {})
    if step is not None:
        found.append(step)
    return sorted(
        found,
        key=lambda transition: (not transition.bad, transition.type != ConditionType.DEGRADED),
    )


def _step(before: Mapping[str, Any], after: Mapping[str, Any]) -> Transition | None:
    """Return the transition of a canary to another step, which changes no condition."""
    if after.get("phase") != "Canary" or before.get("step") in {None, after.get("step")}:
        return None
    text = after.get("message") or ""
    return Transition(ConditionType.PROGRESSING, Reason.CANARY, text, bad=False)


def statuses(status: Mapping[str, Any]) -> dict[str, str]:
    """Return each condition's status by its type."""
    return {condition["type"]: condition["status"] for condition in status.get("conditions") or []}


def _paused(observed: Observed, before: Mapping[str, Any], now: datetime) -> Object:
    """Return the status as it was, plus Paused; a paused resource is not reconciled.

    The conditions that stay keep the generation that they refer to.
    """
    said = {ConditionType.PAUSED: paused(observed), **kstatus.PAUSED}
    made = _conditions(said, observed.generation, before, now)
    kept = [
        condition for condition in before.get("conditions") or [] if condition["type"] not in said
    ]
    return {**before, "observedGeneration": observed.generation, "conditions": kept + made}


def _conditions(
    said: Mapping[ConditionType, ConditionState],
    generation: int,
    before: Mapping[str, Any],
    now: datetime,
) -> list[Object]:
    old = {condition["type"]: condition for condition in before.get("conditions") or []}
    at = stamp(now)
    made = []
    for kind, verdict in said.items():
        was = old.get(kind)
        same = was is not None and was["status"] == verdict.status
        made.append(
            {
                "type": str(kind),
                "status": verdict.status,
                "reason": str(verdict.reason),
                "message": verdict.message[:MESSAGE_LENGTH],
                "observedGeneration": generation,
                "lastTransitionTime": was["lastTransitionTime"] if was and same else at,
            }
        )
    return made


def _worth_telling(kind: str, status: str) -> bool:
    """Whether the first status of a condition deserves an Event."""
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
