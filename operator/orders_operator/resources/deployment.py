"""The Deployments, which replace pods one by one unless the spec declares other numbers."""

from typing import Any, Final

from orders_operator.api.fields import seconds
from orders_operator.api.spec import OrderService
from orders_operator.resources.config_copy import reads_copy
from orders_operator.resources.labels import CANARY, STABLE, child, track_selector
from orders_operator.resources.placement import Running

_DEADLINE: Final = 600
_AFTER_MIGRATIONS: Final = 300


def deployment(
    service: OrderService, running: Running, first: int | None = None
) -> dict[str, Any]:
    """Return the stable pods' Deployment, without replicas if an autoscaler decides about them.

    `first` is the number of pods of a Deployment that has yet to be created, until the autoscaler
    decides.
    """
    spec = _spec(service, running, STABLE)
    pods = service.spec.replicas if service.spec.autoscaling is None else first
    if pods is not None:
        spec["replicas"] = pods
    return child(service, "apps/v1", "Deployment", spec=spec)


def canary_deployment(service: OrderService, running: Running, pods: int) -> dict[str, Any]:
    """Return the Deployment of the canary's pods."""
    spec = {**_spec(service, running, CANARY), "replicas": pods}
    return child(service, "apps/v1", "Deployment", suffix=f"-{CANARY}", spec=spec)


def progress_deadline(service: OrderService) -> int:
    """Return the seconds that pods may take until they serve."""
    declared = service.spec.rollout.progress_deadline
    if declared is not None:
        return seconds(declared)
    start = max(_DEADLINE, seconds(service.spec.migrations.timeout) + _AFTER_MIGRATIONS)
    return start + service.spec.rollout.min_ready_seconds


def _spec(service: OrderService, running: Running, track: str) -> dict[str, Any]:
    revision = running.revision
    template = revision.on(track, running.content)
    rollout = service.spec.rollout
    replaced = rollout.rolling_update
    made = {
        "revisionHistoryLimit": 3,
        "progressDeadlineSeconds": progress_deadline(service),
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {
                "maxUnavailable": replaced.max_unavailable,
                "maxSurge": replaced.max_surge,
            },
        },
        "selector": {"matchLabels": track_selector(service, track)},
        "template": reads_copy(template, revision.copy) if revision.copy else template,
    }
    if rollout.min_ready_seconds:
        made["minReadySeconds"] = rollout.min_ready_seconds
    return made
