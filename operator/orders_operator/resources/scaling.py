"""How many pods: the autoscaler, and how many may go at once."""

from typing import Any, Final

from orders_operator.api.scaling import Autoscaling
from orders_operator.api.spec import OrderService
from orders_operator.resources.labels import API, child, selector

CPU_PERCENT: Final = 75


def replicas_at_least(service: OrderService) -> int:
    """Return how many pods there are when there are fewest."""
    scaling = service.spec.autoscaling
    return service.spec.replicas if scaling is None else scaling.min


def autoscaler(service: OrderService, scaling: Autoscaling) -> dict[str, Any]:
    """Return the HorizontalPodAutoscaler."""
    cpu = scaling.cpu or (None if scaling.memory else CPU_PERCENT)
    wanted = (("cpu", cpu), ("memory", scaling.memory))
    spec: dict[str, Any] = {
        "scaleTargetRef": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": service.metadata.name,
        },
        "minReplicas": scaling.min,
        "maxReplicas": scaling.max,
        "metrics": [_metric(name, percent) for name, percent in wanted if percent],
    }
    if scaling.behaviour:
        spec["behavior"] = scaling.behaviour
    return child(service, "autoscaling/v2", "HorizontalPodAutoscaler", spec=spec)


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
