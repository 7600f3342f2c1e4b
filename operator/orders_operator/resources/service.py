"""The Services by which callers inside the cluster, and Prometheus, reach the pods.

The target ports are numbers: a sidecar may have a port of the same name, and would get the
requests. They are names only while some pods speak HTTP and others HTTPS, so that each port leads
to the pods that speak the caller's scheme.
"""

from typing import Any, Final

from orders_operator.api.spec import OrderService
from orders_operator.resources.labels import API, child, selector, track_selector
from orders_operator.resources.names import named, track_service_name
from orders_operator.resources.schemes import HTTP, HTTPS, PORT_NAMES, Schemes

METRICS: Final = "metrics"
PORTS: Final = {HTTP: 80, HTTPS: 443}
"""The ports of the Service by scheme, which is also the port's name."""
HTTP_PORT: Final = 8000
METRICS_PORT: Final = 2121


def service(declared: OrderService, schemes: Schemes) -> dict[str, Any]:
    """Return the Service: the API on port 80, or 443 with TLS, and metrics on 2121."""
    return child(
        declared,
        "v1",
        "Service",
        spec={
            "type": "ClusterIP",
            "selector": selector(declared, API),
            "ports": [*_api(schemes), _port(METRICS, METRICS_PORT, METRICS_PORT)],
        },
    )


def track_service(declared: OrderService, track: str, schemes: Schemes) -> dict[str, Any]:
    """Return the Service of the pods of one track, with which a Gateway splits requests."""
    made = child(
        declared,
        "v1",
        "Service",
        spec={
            "type": "ClusterIP",
            "selector": track_selector(declared, track),
            "ports": _api(schemes),
        },
    )
    return named(track_service_name(declared, track), made)


def _api(schemes: Schemes) -> list[dict[str, Any]]:
    both = len(schemes.spoken) > 1
    return [
        _port(scheme, port, PORT_NAMES[scheme] if both else HTTP_PORT, scheme)
        for scheme, port in PORTS.items()
        if scheme in schemes.spoken
    ]


def _port(name: str, port: int, target: int | str, protocol: str = HTTP) -> dict[str, Any]:
    return {
        "name": name,
        "port": port,
        "targetPort": target,
        "protocol": "TCP",
        "appProtocol": protocol,
    }
