"""How callers inside the cluster, and Prometheus, find the pods.

Ports of pods are numbers: a sidecar may have one of the same name, and would get the requests.
"""

from typing import Any, Final

from orders_operator.api.spec import OrderService
from orders_operator.resources.labels import API, child, selector, track_selector
from orders_operator.resources.names import named, track_service_name

HTTP: Final = "http"
METRICS: Final = "metrics"
PORT: Final = 80
HTTP_PORT: Final = 8000
METRICS_PORT: Final = 2121


def service(declared: OrderService) -> dict[str, Any]:
    """Return the Service: the API on port 80, metrics on 2121."""
    return child(
        declared,
        "v1",
        "Service",
        spec={
            "type": "ClusterIP",
            "selector": selector(declared, API),
            "ports": [_port(HTTP, PORT, HTTP_PORT), _port(METRICS, METRICS_PORT, METRICS_PORT)],
        },
    )


def track_service(declared: OrderService, track: str) -> dict[str, Any]:
    """Return the Service of the pods of one track, by which a Gateway splits requests."""
    made = child(
        declared,
        "v1",
        "Service",
        spec={
            "type": "ClusterIP",
            "selector": track_selector(declared, track),
            "ports": [_port(HTTP, PORT, HTTP_PORT)],
        },
    )
    return named(track_service_name(declared, track), made)


def _port(name: str, port: int, target: int) -> dict[str, Any]:
    return {
        "name": name,
        "port": port,
        "targetPort": target,
        "protocol": "TCP",
        "appProtocol": "http",
    }
