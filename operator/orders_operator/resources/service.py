"""How callers inside the cluster, and Prometheus, find the pods."""

from typing import Any, Final

from orders_operator.api.spec import OrderService
from orders_operator.resources.labels import API, child, selector

HTTP: Final = "http"
METRICS: Final = "metrics"
PORT: Final = 80
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
            "ports": [
                {
                    "name": HTTP,
                    "port": PORT,
                    "targetPort": HTTP,
                    "protocol": "TCP",
                    "appProtocol": "http",
                },
                {
                    "name": METRICS,
                    "port": METRICS_PORT,
                    "targetPort": METRICS,
                    "protocol": "TCP",
                    "appProtocol": "http",
                },
            ],
        },
    )
