"""Prometheus and its operator in the cluster, from published manifests as far as there are any."""

import json
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import yaml

from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import Namespace, go_module, run
from tests.helpers.cluster.workloads import workload

MODULE: Final = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
NAMESPACE: Final = "monitoring"
_OPERATOR: Final = "parts/prometheus-operator:0.85.0"
_RELOADER: Final = "parts/prometheus-config-reloader:0.85.0"
_PROMETHEUS: Final = "parts/prometheus:3.15.0"
_CRDS: Final = ("servicemonitors", "podmonitors", "probes", "scrapeconfigs", "prometheuses",
                "prometheusagents", "prometheusrules", "alertmanagers", "alertmanagerconfigs",
                "thanosrulers")  # fmt: skip


def module() -> Path:
    """Return the folder of the operator's Go module, which has its manifests under example/."""
    return go_module(MODULE)


def crd(plural: str) -> Path:
    """Return the manifest of one of its CRDs."""
    folder = module() / "example" / "prometheus-operator-crd"
    return folder / f"monitoring.coreos.com_{plural}.yaml"


def install_crds() -> None:
    """Apply all CRDs."""
    files = [f"--filename={crd(plural)}" for plural in _CRDS]
    run("kubectl", "apply", "--server-side", *files)


def remove() -> None:
    """Remove all of it that an earlier run has left."""
    run("kubectl", "delete", "namespace", NAMESPACE, "--ignore-not-found")
    names = [f"{plural}.monitoring.coreos.com" for plural in _CRDS]
    run("kubectl", "delete", "crd", "--ignore-not-found", *names)


def install() -> Namespace:
    """Run the operator and one Prometheus that takes every ServiceMonitor; its namespace."""
    install_crds()
    namespace = Namespace(NAMESPACE)
    run("kubectl", "create", "namespace", NAMESPACE)
    rbac = module() / "example" / "rbac" / "prometheus-operator"
    for name in ("cluster-role", "service-account", "cluster-role-binding"):
        [found] = yaml.safe_load_all((rbac / f"prometheus-operator-{name}.yaml").read_text())
        if found["kind"] != "ClusterRole":
            found["metadata"]["namespace"] = NAMESPACE
            for subject in found.get("subjects", ()):
                subject["namespace"] = NAMESPACE
        found["metadata"].pop("namespace", None) if found["kind"].startswith("Cluster") else None
        run("kubectl", "apply", "-f", "-", text=yaml.dump(found))
    namespace.apply(_operator(), *_prometheus())
    namespace.wait("prometheus/all", "condition=Available", 120)
    return namespace


def query(expression: str) -> list[dict[str, Any]]:
    """Evaluate PromQL; return the vector.

    Raises:
        AssertionError: Prometheus refuses the expression.

    """
    found = _ask(f"query?query={quote(expression)}")
    assert "success" == found["status"], found
    result: list[dict[str, Any]] = found["data"]["result"]
    return result


def described() -> set[str]:
    """Return the names of the metrics that targets describe, with and without series."""
    return set(_ask("metadata")["data"])


def rules() -> list[dict[str, Any]]:
    """Return the rules that Prometheus has loaded, with how they fared."""
    groups = _ask("rules")["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def scraped(expression: str, seconds: float) -> list[dict[str, Any]]:
    """Return what an expression gives once it gives something."""
    deadline = time.monotonic() + seconds
    while not (found := query(expression)):
        if time.monotonic() > deadline:
            raise AssertionError(f"nothing in {seconds:g} s: {expression}")
        time.sleep(1)
    return found


def _ask(path: str) -> dict[str, Any]:
    base = f"/api/v1/namespaces/{NAMESPACE}/services/prometheus-operated:web/proxy/api/v1"
    found: dict[str, Any] = json.loads(run("kubectl", "get", "--raw", f"{base}/{path}"))
    return found


def _operator() -> Object:
    container = {
        "name": "operator",
        "image": _OPERATOR,
        "args": [f"--prometheus-config-reloader={_RELOADER}"],
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}},
    }
    pod = {
        "serviceAccountName": "prometheus-operator",
        "automountServiceAccountToken": True,
        "containers": [container],
    }
    return workload("Deployment", "prometheus-operator", pod)


def _prometheus() -> list[Object]:
    everything: Object = {}
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "prometheus-all"},
        "rules": [
            {
                "apiGroups": [""],
                "resources": ["services", "endpoints", "pods"],
                "verbs": ["get", "list", "watch"],
            },
            {
                "apiGroups": ["discovery.k8s.io"],
                "resources": ["endpointslices"],
                "verbs": ["get", "list", "watch"],
            },
        ],
    }
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "prometheus-all"},
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "prometheus-all"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "prometheus-all",
        },
        "subjects": [{"kind": "ServiceAccount", "name": "prometheus-all", "namespace": NAMESPACE}],
    }
    prometheus = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": {"name": "all"},
        "spec": {
            "image": _PROMETHEUS,
            "version": "v3.15.0",
            "replicas": 1,
            "serviceAccountName": "prometheus-all",
            "serviceMonitorSelector": everything,
            "serviceMonitorNamespaceSelector": everything,
            "ruleSelector": everything,
            "ruleNamespaceSelector": everything,
            "scrapeInterval": "2s",
            "evaluationInterval": "2s",
            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "fsGroup": 65532},
        },
    }
    return [account, role, binding, prometheus]
