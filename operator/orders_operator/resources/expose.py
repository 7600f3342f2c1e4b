"""The Ingress or HTTPRoute by which callers outside the cluster reach the API, and its URL."""

from typing import Any

from orders_operator.api.spec import OrderService, OrderServiceSpec
from orders_operator.api.traffic import HTTPRoute, Ingress
from orders_operator.resources.kinds import HTTP_ROUTE
from orders_operator.resources.labels import CANARY, STABLE, child
from orders_operator.resources.names import track_service_name
from orders_operator.resources.schemes import Schemes, declared
from orders_operator.resources.service import PORTS


def ingress(service: OrderService, declared: Ingress, schemes: Schemes) -> dict[str, Any]:
    """Return the Ingress."""
    backend = {"service": {"name": service.metadata.name, "port": {"name": schemes.all}}}
    path = {"path": declared.path, "pathType": "Prefix", "backend": backend}
    spec: dict[str, Any] = {"rules": [{"host": declared.host, "http": {"paths": [path]}}]}
    if declared.class_name:
        spec["ingressClassName"] = declared.class_name
    if declared.tls_secret_name:
        spec["tls"] = [{"hosts": [declared.host], "secretName": declared.tls_secret_name}]
    made = child(service, "networking.k8s.io/v1", "Ingress", spec=spec)
    return _annotated(made, declared.annotations)


def http_route(
    service: OrderService, declared: HTTPRoute, schemes: Schemes, weight: int | None = None
) -> dict[str, Any]:
    """Return the HTTPRoute; with a weight, canary pods get this share of requests, in percent."""
    backends: list[dict[str, Any]] = [{"name": service.metadata.name, "port": PORTS[schemes.all]}]
    if weight is not None:
        shares = {STABLE: (schemes.stable, 100 - weight), CANARY: (schemes.canary, weight)}
        backends = [
            {"name": track_service_name(service, track), "port": PORTS[scheme], "weight": share}
            for track, (scheme, share) in shares.items()
        ]
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": declared.path}}],
        "backendRefs": backends,
    }
    spec: dict[str, Any] = {"parentRefs": list(declared.parent_refs), "rules": [rule]}
    if declared.hostnames:
        spec["hostnames"] = list(declared.hostnames)
    made = child(service, HTTP_ROUTE.api_version, HTTP_ROUTE.kind, spec=spec)
    return _annotated(made, declared.annotations)


def url(spec: OrderServiceSpec, namespace: str, name: str) -> str:
    """Return the URL from outside the cluster if a host name exposes it, else the one inside.

    A wildcard host (`*.example.org`) gives no URL.
    """
    ingress, route = spec.expose.ingress, spec.expose.http_route
    scheme, path = "http", "/"
    hosts: tuple[str, ...] = ()
    if ingress is not None:
        scheme = "https" if ingress.tls_secret_name else "http"
        hosts, path = (ingress.host,), ingress.path
    elif route is not None:
        hosts, path = route.hostnames, route.path
    named = next((host for host in hosts if not host.startswith("*")), None)
    return (
        f"{declared(spec)}://{name}.{namespace}.svc"
        if named is None
        else f"{scheme}://{named}{path.rstrip('/')}"
    )


def _annotated(made: dict[str, Any], annotations: dict[str, str]) -> dict[str, Any]:
    if annotations:
        made["metadata"]["annotations"] = dict(annotations)
    return made
