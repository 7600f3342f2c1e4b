"""The kinds of children, and which of them a resource uses."""

from typing import Final

from msgspec import Struct

from orders_operator.api.spec import OrderService
from orders_operator.resources.scaling import needs_budget


class Kind(Struct, frozen=True):
    """A kind of object; a cluster may lack the API of an `optional` one."""

    api_version: str
    kind: str
    plural: str
    optional: bool = False


SERVICE_MONITOR: Final = Kind(
    "monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors", optional=True
)
HTTP_ROUTE: Final = Kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes", optional=True)
CONTROLLER_REVISION: Final = Kind("apps/v1", "ControllerRevision", "controllerrevisions")

SECRET: Final = Kind("v1", "Secret", "secrets")
STATEFUL_SET: Final = Kind("apps/v1", "StatefulSet", "statefulsets")

KINDS: Final = (
    Kind("v1", "ServiceAccount", "serviceaccounts"),
    SECRET,
    Kind("v1", "ConfigMap", "configmaps"),
    Kind("v1", "Service", "services"),
    CONTROLLER_REVISION,
    Kind("apps/v1", "Deployment", "deployments"),
    STATEFUL_SET,
    Kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    Kind("networking.k8s.io/v1", "Ingress", "ingresses"),
    SERVICE_MONITOR,
    HTTP_ROUTE,
)
"""Every kind that is applied, and pruned once it is no longer wanted."""


def uses(service: OrderService, kind: str, *, database: bool) -> bool:
    """Return whether a resource has, or should have, children of a kind.

    The API server may forbid the operator the kinds that no resource uses.

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
