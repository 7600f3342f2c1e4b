"""The release that the tests install, and where they can be run."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
import yaml

from orders_operator.scopes import CLUSTER_LEASE
from tests.helpers.cluster import gateway_crds, monitoring
from tests.helpers.cluster.kubectl import CHART, OPERATOR, CommandError, Namespace, helm, run

RELEASE: Final = "orders"
SECOND: Final = "second"
"""A release of an operator alone."""


def missing() -> str | None:
    """Return why there is no cluster to test in; None if there is one.

    Where CLUSTER is set, somebody made one for these tests: that it is missing is their failure.
    """
    asked = "CLUSTER" in os.environ
    why = _missing(timeout=60 if asked else 5)
    if why is not None and asked:
        raise pytest.UsageError(f"these tests need a cluster: {why}")
    return why


def _missing(timeout: int) -> str | None:
    for tool in ("kubectl", "helm", "kind"):
        if shutil.which(tool) is None:
            return f"there is no {tool}"
    done = subprocess.run(
        ["kubectl", "get", "nodes", f"--request-timeout={timeout}s", "-o", "name"],
        capture_output=True,
        text=True,
        check=False,
    )
    if "node/orders-control-plane" in done.stdout.split():
        return None
    words = done.stderr.strip().splitlines()
    told = f": {words[-1]}" if words else ""
    return f'the current context is not the kind cluster "orders"{told}'


def remove() -> None:
    """Leave nothing of the chart, and nothing that the tests install beside it."""
    default = Namespace("default")
    monitoring.remove()
    gateway_crds.remove()
    helm("uninstall", RELEASE, "--ignore-not-found", "--wait")
    run("kubectl", "delete", "crd", "orderservices.orders.dev", "--ignore-not-found")
    default.kubectl("delete", "pods,services,pvc", "--selector=app.kubernetes.io/name=orders")
    default.kubectl("delete", "lease", OPERATOR, CLUSTER_LEASE, "--ignore-not-found")


def chart_before(folder: Path) -> Path:
    """Make the chart of a release before: an older number, and a CRD without one field."""
    chart = folder / "orders"
    shutil.copytree(CHART, chart)
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    about["version"] = "0.0.9"
    (chart / "Chart.yaml").write_text(yaml.dump(about))
    [file] = (chart / "crds").glob("*.yaml")
    crd = yaml.safe_load(file.read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    del schema["properties"]["spec"]["properties"]["paused"]
    file.write_text(yaml.dump(crd))
    return chart


@contextmanager
def second_operator(namespace: Namespace, *settings: str) -> Iterator[None]:
    """Have the operator of a second release, with settings of the chart."""
    where = f"--namespace={namespace.name}"
    parts = ("orderService.enabled=false", "crds.upgrade=false", "operator.replicas=1", *settings)
    helm("install", SECOND, "charts/orders", where, *(f"--set={it}" for it in parts))
    try:
        yield
    finally:
        helm("uninstall", SECOND, where, "--wait")


def logged(namespace: Namespace, words: str) -> bool:
    """Whether an operator of a namespace has logged these words lately."""
    selector = "--selector=app.kubernetes.io/component=operator"
    try:
        return words in namespace.kubectl("logs", selector, "--tail=200")
    except CommandError:
        return False  # its container has not begun
