"""The ServiceMonitor, and the variables that tell the service where to send its spans."""

from typing import Any, Final
from urllib.parse import quote

from orders_operator.api.observing import Tracing
from orders_operator.api.spec import OrderService
from orders_operator.resources.kinds import SERVICE_MONITOR
from orders_operator.resources.labels import API, REVISION, TRACK, child, selector
from orders_operator.resources.service import METRICS

METRICS_SUFFIX: Final = "-metrics"
"""The suffix of the name of the Secret with the API key of the metrics."""
KEY: Final = "key"
"""The entry of that Secret that has the API key."""
KEYS: Final = "keys"
"""The entry of that Secret that has a line for each accepted API key: name, hash and scope."""


def service_monitor(service: OrderService, *, key: bool) -> dict[str, Any]:
    """Return the ServiceMonitor of the Service's metrics port.

    Prometheus gets the track and revision of each pod as `orders_dev_track` and
    `orders_dev_revision`.

    Args:
        service: the OrderService.
        key: whether some pods require the API key for their metrics; the others ignore it.

    """
    endpoint: dict[str, Any] = {
        "port": METRICS,
        "path": "/metrics",
        "interval": service.spec.monitoring.interval,
    }
    if key:
        credentials = {"name": f"{service.metadata.name}{METRICS_SUFFIX}", "key": KEY}
        endpoint["authorization"] = {"type": "Bearer", "credentials": credentials}
    made = child(
        service,
        SERVICE_MONITOR.api_version,
        SERVICE_MONITOR.kind,
        spec={
            "selector": {"matchLabels": selector(service, API)},
            "podTargetLabels": [TRACK, REVISION],
            "endpoints": [endpoint],
        },
    )
    metadata = made["metadata"]
    metadata["labels"] = {**service.spec.monitoring.labels, **metadata["labels"]}
    return made


def tracing_environment(
    service: OrderService, tracing: Tracing, headers_file: str
) -> dict[str, str]:
    """Return the OTEL_* variables of the service."""
    attributes = {
        "service.namespace": service.metadata.namespace,
        **tracing.resource_attributes,
    }
    listed = [f"{quote(key, safe='.')}={quote(value)}" for key, value in attributes.items()]
    listed.append("k8s.pod.name=$(POD_NAME)")
    zipkin = tracing.protocol == "zipkin"
    found = {
        "OTEL_TRACES_EXPORTER": "zipkin" if zipkin else "otlp",
        "OTEL_SERVICE_NAME": service.metadata.name,
        "OTEL_RESOURCE_ATTRIBUTES": ",".join(listed),
        "OTEL_TRACES_SAMPLER": tracing.sampler,
        "OTEL_TRACES_SAMPLER_ARG": f"{tracing.ratio:.9f}".rstrip("0").rstrip("."),
        f"OTEL_EXPORTER_{'ZIPKIN' if zipkin else 'OTLP'}_ENDPOINT": tracing.endpoint,
    }
    if tracing.headers_secret_ref is not None and not zipkin:
        found["OTEL_EXPORTER_OTLP_HEADERS_FILE"] = headers_file
    return found
