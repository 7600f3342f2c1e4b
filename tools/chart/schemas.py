"""The schemas against which rendered manifests are checked, without a network.

Those of Kubernetes come with the package `kubernetes-validate`, in the layout that kubeconform
reads. Those of custom resources are taken from their CRDs: ours, and prometheus-operator's, whose
Go module contains them.
"""

import json
import os
import subprocess
from functools import cache
from importlib.metadata import files
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Any, Final

import yaml

from tools.chart.schema import crd_file
from tools.go_programs import CHARTS, ROOT

KUBERNETES: Final = ("1.33.0", "1.34.0", "1.35.0", "1.36.0", "1.37.0")
_SCHEMAS: Final = ROOT / ".cache" / "chart" / "schemas"
_PROMETHEUS_OPERATOR: Final = ("github.com/prometheus-operator/prometheus-operator", "v0.85.0")
_SERVER_PATH: Final = "/api/"  # before `_definitions.json`
_MONITORING: Final = ("servicemonitors", "prometheusrules")


@cache
def kubernetes_schemas() -> Path:
    """Return the folder that has a folder for each version of Kubernetes.

    In the package, schemas refer to their definitions by a path on a server; here, by the file
    beside them.
    """
    package = {str(file): file for file in files("kubernetes-validate") or []}
    folder = _SCHEMAS / f"kubernetes-{distribution_version('kubernetes-validate')}"
    if folder.exists():
        return folder
    unfinished = folder.with_suffix(f".{os.getpid()}")
    for version in KUBERNETES:
        target = unfinished / f"v{version}"
        target.mkdir(parents=True)
        inside = f"/v{version}-local-strict/"
        for name, file in package.items():
            if inside in name and ("-" in file.name or file.name == "_definitions.json"):
                schema = json.loads(file.read_text(encoding="utf-8"))
                schema.pop("$id", None)
                text = json.dumps(schema).replace(f'"{_SERVER_PATH}', '"')
                (target / file.name).write_text(text, encoding="utf-8")
    unfinished.rename(folder)
    return folder


@cache
def custom_schemas() -> Path:
    """Return the folder with the schemas of custom resources, made anew."""
    folder = _SCHEMAS / "custom"
    folder.mkdir(parents=True, exist_ok=True)
    module = _go_module(*_PROMETHEUS_OPERATOR)
    monitoring = [
        module / "example" / "prometheus-operator-crd" / f"monitoring.coreos.com_{plural}.yaml"
        for plural in _MONITORING
    ]
    for file in (crd_file(), *monitoring):
        crd = yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]
        for version in crd["versions"]:
            name = f"{crd['names']['kind'].lower()}-{crd['group']}-{version['name']}.json"
            schema = _closed(version["schema"]["openAPIV3Schema"])
            (folder / name).write_text(json.dumps(schema), encoding="utf-8")
    return folder


def check(manifests: str, version: str) -> str:
    """Check manifests against one version of Kubernetes; return kubeconform's summary.

    Raises:
        ToolFailed: a manifest does not conform, or has no schema.

    """
    return CHARTS.run(
        "kubeconform",
        "-strict",
        "-summary",
        "-kubernetes-version", version,
        "-schema-location",
        f"{kubernetes_schemas()}/{{{{ .NormalizedKubernetesVersion }}}}/"
        "{{ .ResourceKind }}{{ .KindSuffix }}.json",
        "-schema-location",
        f"{custom_schemas()}/{{{{ .ResourceKind }}}}-{{{{ .Group }}}}"
        "-{{ .ResourceAPIVersion }}.json",
        "-",
        text=manifests,
    )  # fmt: skip


def _closed(node: Any) -> Any:
    """Refuse unknown fields, as the API server does with strict field validation."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("x-kubernetes-int-or-string"):
        kept = {key: value for key, value in node.items() if key in ("minimum", "pattern")}
        return {**kept, "type": ["integer", "string"]}
    result = {key: _closed(value) for key, value in node.items()}
    if "properties" in node and not node.get("x-kubernetes-preserve-unknown-fields"):
        result["additionalProperties"] = False
    return result


def _go_module(path: str, version: str) -> Path:
    """Return the folder of a Go module's files, downloaded if they are not there yet."""
    command = ["go", "mod", "download", f"{path}@{version}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    cache = subprocess.run(
        ["go", "env", "GOMODCACHE"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return Path(cache.stdout.strip(), f"{path}@{version}")
