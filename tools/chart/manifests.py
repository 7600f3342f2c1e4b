"""Makes `k8s/operator.yaml`, the operator for people without Helm, from the chart.

Labels of a Helm release would be untrue there, so they are removed. The CRD is a file of its own,
`k8s/crd.yaml`, so that `kubectl apply -f k8s/` applies it first.
"""

from typing import Any, Final

import yaml

from tools.chart.schema import CHART
from tools.go_programs import CHARTS

NAMESPACE: Final = "orders-system"
_HEADER: Final = """\
# The operator, for the whole cluster, in a namespace of its own: kubectl apply -f k8s/
# Made from charts/orders; do not edit.
"""
_VALUES: Final = ("orderService.enabled=false", "crds.upgrade=false", "test.enabled=false")


def operator_manifests() -> str:
    """Return the text of `k8s/operator.yaml`.

    Raises:
        ToolFailed: the chart cannot be rendered.

    """
    settings = [part for value in _VALUES for part in ("--set", value)]
    rendered = CHARTS.run("helm", "template", "orders", CHART, "--namespace", NAMESPACE, *settings)
    documents = [document for document in yaml.safe_load_all(rendered) if document]
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": NAMESPACE,
            "labels": {
                "app.kubernetes.io/part-of": "orders",
                "pod-security.kubernetes.io/enforce": "restricted",
            },
        },
    }
    for document in documents:
        _forget_helm(document["metadata"]["labels"])
        if template := document.get("spec", {}).get("template"):
            _forget_helm(template["metadata"]["labels"])
    return _HEADER + yaml.dump_all(
        [namespace, *documents], sort_keys=False, width=100, explicit_start=True
    )


def _forget_helm(labels: dict[str, Any]) -> None:
    labels.pop("helm.sh/chart", None)
    labels.pop("app.kubernetes.io/managed-by", None)
