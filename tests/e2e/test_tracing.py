"""Spans reach a real OpenTelemetry Collector."""

from typing import Final

import pytest

from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import Namespace, order_service
from tests.helpers.cluster.workloads import service, workload

_CONFIG: Final = """
receivers:
  otlp:
    protocols:
      http:
        endpoint: 0.0.0.0:4318
exporters:
  debug:
    verbosity: detailed
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [debug]
"""


def _collector() -> list[Object]:
    container = {
        "name": "otelcol",
        "image": "parts/otelcol:0.162.0",
        "args": ["--config=/etc/otelcol/config.yaml"],
        "volumeMounts": [{"name": "config", "mountPath": "/etc/otelcol"}],
        "readinessProbe": {"tcpSocket": {"port": 4318}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}},
    }
    volumes = [{"name": "config", "configMap": {"name": "collector"}}]
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "collector"},
            "data": {"config.yaml": _CONFIG},
        },
        service("collector", 4318),
        workload("Deployment", "collector", {"containers": [container], "volumes": volumes}),
    ]


@pytest.fixture(scope="module")
def collector(namespace: Namespace) -> str:
    """Run a collector; its URL."""
    namespace.apply(*_collector())
    namespace.wait("deployment/collector", "condition=Available", 60)
    return "http://collector:4318"


def test_a_request_gives_a_span_in_the_collector(namespace: Namespace, collector: str) -> None:
    """30 s after a request its span is there, with the pod's name and the spec's attributes."""
    tracing = {"endpoint": collector, "resourceAttributes": {"team": "shop, blue"}}
    namespace.apply(order_service("spans", tracing=tracing))
    namespace.rolled_out("spans", 90)
    proxy = f"/api/v1/namespaces/{namespace.name}/services/spans:http/proxy/orders"
    namespace.kubectl("get", "--raw", proxy)

    def received() -> str:
        return namespace.kubectl("logs", "deployment/collector", "--tail=2000")

    namespace.until(lambda: "GET /orders" in received(), 30, "the span arrived")
    text = received()
    assert "service.name: Str(spans)" in text
    assert "team: Str(shop, blue)" in text
    assert f"k8s.pod.name: Str({namespace.pods('spans')[0]['metadata']['name']})" in text
    assert f"service.namespace: Str({namespace.name})" in text
