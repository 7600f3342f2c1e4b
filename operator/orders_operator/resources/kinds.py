"""The kinds of children."""

from typing import Final

from msgspec import Struct


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
