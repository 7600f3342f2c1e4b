"""The Deployment: the pods of `pod`, replaced one by one and never below what is wanted."""

from typing import Any

from orders_operator.api.fields import seconds
from orders_operator.api.spec import OrderService
from orders_operator.resources.labels import API, child, selector
from orders_operator.resources.pod import template


def deployment(service: OrderService, config_hash: str) -> dict[str, Any]:
    """Return the Deployment; without replicas when an autoscaler decides about them."""
    spec: dict[str, Any] = {
        "revisionHistoryLimit": 3,
        "progressDeadlineSeconds": max(600, seconds(service.spec.migrations.timeout) + 300),
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
        },
        "selector": {"matchLabels": selector(service, API)},
        "template": template(service, config_hash),
    }
    if service.spec.autoscaling is None:
        spec["replicas"] = service.spec.replicas
    return child(service, "apps/v1", "Deployment", spec=spec)
