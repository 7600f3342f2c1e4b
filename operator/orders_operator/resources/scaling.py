"""The HorizontalPodAutoscaler and the PodDisruptionBudget."""

from typing import Any, Final

from orders_operator.api.scaling import Autoscaling
from orders_operator.api.spec import OrderService
from orders_operator.resources.labels import API, child, selector

CPU_PERCENT: Final = 75


def needs_budget(service: OrderService) -> bool:
    """Whether a budget helps: never for a single pod, whose node could not be drained.

    `maxUnavailable` never blocks every eviction; `minAvailable` may.
    """
    scaling, budget = service.spec.autoscaling, service.spec.disruption_budget
    if scaling is None:
        pods = service.spec.replicas
    else:
        pods = scaling.max if budget.min_available is None else scaling.min
    return budget.enabled and pods > 1


def autoscaler(service: OrderService, scaling: Autoscaling, floor: int = 0) -> dict[str, Any]:
    """Return the HorizontalPodAutoscaler, which leaves at least `floor` pods during a canary."""
    cpu = scaling.cpu or (None if scaling.memory else CPU_PERCENT)
    wanted = (("cpu", cpu), ("memory", scaling.memory))
    spec: dict[str, Any] = {
        "scaleTargetRef": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": service.metadata.name,
        },
        "minReplicas": least(scaling, floor),
        "maxReplicas": scaling.max,
        "metrics": [_metric(name, percent) for name, percent in wanted if percent],
    }
    if scaling.behaviour:
        spec["behavior"] = scaling.behaviour
    return child(service, "autoscaling/v2", "HorizontalPodAutoscaler", spec=spec)


def least(scaling: Autoscaling, floor: int) -> int:
    """Return the least number of pods: `floor`, but within the declared bounds."""
    return max(scaling.min, min(floor, scaling.max))


def disruption_budget(service: OrderService) -> dict[str, Any]:
    """Return the PodDisruptionBudget; pods that are not ready never block a drain (KEP-3017)."""
    budget = service.spec.disruption_budget
    if budget.min_available is not None:
        bound = {"minAvailable": budget.min_available}
    else:
        most = 1 if budget.max_unavailable is None else budget.max_unavailable
        bound = {"maxUnavailable": most}
    return child(
        service,
        "policy/v1",
        "PodDisruptionBudget",
        spec={
            **bound,
            "selector": {"matchLabels": selector(service, API)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    )


def _metric(name: str, percent: int) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": name, "target": target}}
