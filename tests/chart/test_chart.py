"""The chart, rendered for each way of use and held against schemas and linters.

The tools are Go programs; without Go one line says that this was left out.
"""

import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from orders_operator.resources.kinds import SERVICE_MONITOR
from orders_operator.resources.labels import REVISION, TRACK
from orders_operator.rollout.prometheus import query
from orders_operator.scopes import CLUSTER_LEASE, NAMESPACE_LEASE
from orders_operator.telemetry.metrics import Metrics
from tests.helpers.operator.specs import desired, service
from tools.chart.generate import WRITTEN, WRITTEN_WITH_GO
from tools.chart.schema import CHART, crd_file
from tools.chart.schemas import KUBERNETES, check
from tools.chart.score import findings
from tools.go_programs import CHARTS, MISSING, ROOT, available

WAYS = sorted(file.name.removesuffix("-values.yaml") for file in (CHART / "ci").iterdir())
ALERTS = sorted((CHART / "files" / "alerts").iterdir())
RUNBOOKS = ROOT / "docs" / "runbooks"
PLAIN = ROOT / "k8s"

if not available():
    pytest.skip(MISSING, allow_module_level=True)

pytestmark = pytest.mark.timeout(900)  # the first run builds the tools


@cache
def rendered(way: str) -> str:
    """Return what Helm makes of one way of use."""
    values = CHART / "ci" / f"{way}-values.yaml"
    return CHARTS.run("helm", "template", "orders", CHART, "--values", values)


def objects(way: str) -> list[dict[str, Any]]:
    """Return the objects of one way of use."""
    return [document for document in yaml.safe_load_all(rendered(way)) if document]


@pytest.mark.parametrize("way", WAYS)
def test_lint(way: str) -> None:
    """Helm's own linter has nothing to say about any way of use."""
    values = CHART / "ci" / f"{way}-values.yaml"
    output = CHARTS.run("helm", "lint", "--strict", "--quiet", CHART, "--values", values)
    assert "" == output.strip()


def test_unit_tests() -> None:
    """Every template has a suite of unit tests, and they pass."""
    templates = {
        str(file.relative_to(CHART / "templates").with_suffix(""))
        for file in (CHART / "templates").rglob("*.*")
        if not file.name.startswith("_")
    }
    suites = {
        str(file.relative_to(CHART / "tests")).removesuffix("_test.yaml")
        for file in (CHART / "tests").rglob("*_test.yaml")
    }
    assert set() == templates - suites
    CHARTS.run("helm-unittest", "--strict", "--file", "tests/**/*_test.yaml", CHART)


@pytest.mark.parametrize("version", KUBERNETES)
def test_schemas(version: str) -> None:
    """Every way of use conforms to the schemas of every supported Kubernetes and of the CRDs."""
    manifests = "\n---\n".join(map(rendered, WAYS))
    assert "Invalid: 0, Errors: 0, Skipped: 0" in check(manifests, version)


@pytest.mark.parametrize("version", KUBERNETES)
def test_schemas_of_plain_manifests(version: str) -> None:
    """The manifests for people without Helm conform, the CRD included."""
    manifests = "\n---\n".join(
        file.read_text(encoding="utf-8") for file in (crd_file(), PLAIN / "operator.yaml")
    )
    assert "Invalid: 0, Errors: 0, Skipped: 0" in check(manifests, version)


@pytest.mark.parametrize("monitoring", [{"auth": False}, {"auth": True}], ids=["open", "closed"])
def test_schemas_of_what_the_operator_gives_to_prometheus(monitoring: dict[str, Any]) -> None:
    """Its ServiceMonitor conforms to prometheus-operator's CRD, with a credential and without."""
    objects = desired(service(monitoring=monitoring))
    [monitor] = [it for it in objects if it["kind"] == SERVICE_MONITOR.kind]
    assert "Valid: 1, Invalid: 0" in check(yaml.safe_dump(monitor), KUBERNETES[-1])


@pytest.mark.parametrize("way", WAYS)
def test_kube_score(way: str) -> None:
    """kube-score finds nothing but what an annotation excuses, with the reason beside it."""
    assert [] == findings(rendered(way))


def test_kube_score_of_plain_manifests() -> None:
    """kube-score finds nothing in the manifests for people without Helm."""
    assert [] == findings((PLAIN / "operator.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("way", WAYS)
def test_no_wildcard(way: str) -> None:
    """No role has a wildcard, and only the cluster's mode reads Secrets in the whole cluster."""
    watched = yaml.safe_load((CHART / "ci" / f"{way}-values.yaml").read_text(encoding="utf-8"))
    namespaced = bool(watched.get("operator", {}).get("watchNamespaces"))
    for role in objects(way):
        for rule in role.get("rules", []) if role["kind"] in ("Role", "ClusterRole") else []:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]
            if role["kind"] == "ClusterRole" and namespaced:
                assert "secrets" not in rule["resources"]


@pytest.mark.parametrize("way", WAYS)
def test_restricted(way: str) -> None:
    """Every pod, those of hooks and tests too, satisfies the restricted Pod Security Standard."""
    pods = [spec for spec in map(pod_spec, objects(way)) if spec is not None]
    for spec in pods:
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert {"type": "RuntimeDefault"} == spec["securityContext"]["seccompProfile"]
        assert set() == {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & spec.keys()
        kinds = {key for it in spec.get("volumes", ()) for key in it if key != "name"}
        assert {"secret", "projected"} >= kinds
        for container in spec["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert {"drop": ["ALL"]} == container["securityContext"]["capabilities"]
    assert 1 <= len(pods)


def test_labels_that_policies_require() -> None:
    """`extraLabels` are on every object, and on every pod."""
    for found in objects("policies"):
        template = found.get("spec", {}).get("template")
        for metadata in (found["metadata"], *([template["metadata"]] if template else [])):
            assert "shop" == metadata["labels"]["team"], found["kind"]


def test_no_secret_is_written_where_no_database_is_embedded() -> None:
    """Roles then read Secrets at most."""
    rules = [rule for it in objects("policies") for rule in it.get("rules", ())]
    assert [["get", "list", "watch"]] == [
        rule["verbs"] for rule in rules if "secrets" in rule["resources"]
    ]


def test_leases() -> None:
    """The Leases that the operator may hold are those that it claims."""
    for way, lease in (("default", CLUSTER_LEASE), ("namespaced", NAMESPACE_LEASE)):
        roles = [it for it in objects(way) if it["kind"] == "Role"]
        held = [name for it in roles for name in _leases(it, "update")]
        assert {"orders-operator", lease} == set(held)
    listed = [name for it in objects("default") for name in _leases(it, "list")]
    assert [NAMESPACE_LEASE] == listed


def _leases(role: dict[str, Any], verb: str) -> list[str]:
    """Return the names of the Leases that a role has a right to."""
    rules = role.get("rules") or []
    mine = (it for it in rules if it["resources"] == ["leases"] and verb in it["verbs"])
    return [name for it in mine for name in it["resourceNames"]]


@pytest.mark.parametrize(
    "file", [*WRITTEN, *WRITTEN_WITH_GO], ids=lambda file: str(file.relative_to(ROOT))
)
def test_generated(file: Path) -> None:
    """Generated files are what they would be if they were made now."""
    assert {**WRITTEN, **WRITTEN_WITH_GO}[file]() == file.read_text(encoding="utf-8")


def test_crd_copies() -> None:
    """The chart's CRD and the one for people without Helm are the same file."""
    assert (PLAIN / "crd.yaml").read_bytes() == crd_file().read_bytes()


@pytest.mark.parametrize("file", ALERTS, ids=lambda file: file.stem)
def test_runbooks(file: Path) -> None:
    """Every alert is named as its file, and has a runbook with the four parts."""
    alert = yaml.safe_load(file.read_text(encoding="utf-8"))
    runbook = (RUNBOOKS / f"{alert['alert']}.md").read_text(encoding="utf-8")
    assert file.stem == alert["alert"]
    assert [
        f"# {file.stem}",
        "## Meaning",
        "## Impact",
        "## Diagnosis",
        "## Mitigation",
    ] == [line for line in runbook.splitlines() if line.startswith(("# ", "## "))]


def test_metrics_exist() -> None:
    """Alerts and dashboards use only metrics and labels that the service or the operator has.

    Prometheus adds the labels of pods that a ServiceMonitor names.
    """
    sources = (*ALERTS, *(CHART / "files" / "dashboards").iterdir())
    used = set()
    for file in sources:
        for expression in expressions(yaml.safe_load(file.read_text(encoding="utf-8"))):
            used |= words(re.sub(r'"[^"]*"|\$\w+', "", expression))
    reference = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    _, operator = Metrics("0").expose("")
    given = {re.sub("[./]", "_", label) for label in (TRACK, REVISION)}
    known = words(reference) | words(operator.decode()) | given
    assert {"histogram_quantile", "max_over_time"} == used - known


def test_canary_beside_stable() -> None:
    """The service's dashboard shows one track or all, and errors and latency of each by itself."""
    file = CHART / "files" / "dashboards" / "service.json"
    found = expressions(yaml.safe_load(file.read_text(encoding="utf-8")))
    assert [] == [it for it in found if 'orders_dev_track=~"$track"' not in it]
    assert 3 == len([it for it in found if "by (namespace, job, orders_dev_track" in it])


def test_alerts() -> None:
    """Every alert is raised by the series that it is for, and by no others.

    Half an hour of healthy rollouts raises none.

    The query by which a rollout is judged tells what pods have counted, and when that was scraped.
    """
    done = subprocess.run(
        ["go", "test", "-count=1", "./..."],
        cwd=Path(__file__).parent / "alerts",
        env={**os.environ, "ANALYSIS_QUERY": query("ns", ["shop-1", "shop-2"])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr  # it tells of what it downloads


def pod_spec(found: dict[str, Any]) -> dict[str, Any] | None:
    """Return the spec of a pod, or of the pods of an object; None if it has none."""
    spec: dict[str, Any] = found.get("spec", {})
    if found["kind"] == "Pod":
        return spec
    pod: dict[str, Any] | None = spec.get("template", {}).get("spec")
    return pod


def expressions(node: Any) -> list[str]:
    """Return every PromQL expression of an alert or a dashboard."""
    if isinstance(node, list):
        return [one for item in node for one in expressions(item)]
    if not isinstance(node, dict):
        return []
    own = [node["expr"]] if "expr" in node else []
    return own + [one for item in node.values() for one in expressions(item)]


def words(text: str) -> set[str]:
    """Return what may be the name of a metric or a label, without what a histogram adds."""
    return {
        re.sub("_(bucket|sum|count)$", "", word) for word in re.findall("[a-z]+_[a-z_]+", text)
    }
