"""Workloads of the tests' own, and their Services: pods have the label `app`, with the name."""

from typing import Any, Literal

from orders_operator.objects import Object


def workload(
    kind: Literal["Deployment", "StatefulSet"], name: str, pod: Object, **spec: Any
) -> Object:
    """Return a Deployment or a StatefulSet of pods with this spec."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def service(name: str, port: int) -> Object:
    """Return the Service of a workload."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": port}]},
    }
