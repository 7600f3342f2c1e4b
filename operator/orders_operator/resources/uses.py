"""Whether a resource has children of a kind: one that is none of its business may be forbidden."""

from orders_operator.api.spec import OrderService
from orders_operator.resources.scaling import needs_budget


def uses(service: OrderService, kind: str, *, database: bool) -> bool:
    """Return whether there are, or should be, children of a kind.

    Args:
        service: the resource.
        kind: which.
        database: whether an embedded database is there or declared.

    """
    spec = service.spec
    optional = {
        "Secret": database or spec.monitoring.auth,
        "StatefulSet": database,
        "HorizontalPodAutoscaler": spec.autoscaling is not None,
        "PodDisruptionBudget": needs_budget(service),
        "NetworkPolicy": spec.network_policy.enabled,
        "Ingress": spec.expose.ingress is not None,
        "HTTPRoute": spec.expose.http_route is not None,
        "ServiceMonitor": spec.monitoring.enabled,
    }
    return optional.get(kind, True)
