"""What tells Prometheus to scrape the pods, and the service where its spans go."""

from typing import Any, Final
from urllib.parse import quote

from orders_operator.api.observing import Tracing
from orders_operator.api.spec import OrderService
from orders_operator.resources.kinds import SERVICE_MONITOR
from orders_operator.resources.labels import API, REVISION, TRACK, child, selector
from orders_operator.resources.service import METRICS

METRICS_SUFFIX: Final = "-metrics"
"""Of the name of the Secret with the API key that opens the metrics."""
KEY: Final = "key"
"""Its key whose value is the API key."""
KEYS: Final = "keys"
"""Its key whose value has a line for each API key that is taken: name, hash and scope."""


def service_monitor(service: OrderService, *, key: bool) -> dict[str, Any]:
    """Return the ServiceMonitor of the Service's metrics port.

    Prometheus has track and revision of each pod as `orders_dev_track` and `orders_dev_revision`.

    Args:
        service: whose.
        key: whether some pods show their metrics with the API key alone; others do not mind it.

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
