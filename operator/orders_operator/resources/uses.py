"""Whether a resource uses a kind: the API server may forbid the kinds that it does not use."""

from orders_operator.api.spec import OrderService
from orders_operator.resources.scaling import needs_budget


def uses(service: OrderService, kind: str, *, database: bool) -> bool:
    """Return whether a resource has, or should have, children of a kind.

    Args:
        service: the resource.
        kind: the name of the kind, such as `Ingress`.
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
