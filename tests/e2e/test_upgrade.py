"""From the chart before to this one: pods keep running, and the CRD gets what is new."""

import shutil
from pathlib import Path

import yaml

from tests.e2e.cluster import CHART, OPERATOR, Namespace, helm, run, uids
from tests.e2e.conftest import RELEASE, Installed

CRD = "orderservices.orders.dev"


def _chart_before(folder: Path) -> Path:
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


def _has_paused() -> bool:
    path = "{.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.paused.type}"
    return bool(run("kubectl", "get", "crd", CRD, "-o", f"jsonpath={path}"))


def test_an_upgrade_from_the_chart_before_keeps_the_pods(
    installed: Installed, tmp_path: Path
) -> None:
    """In 120 s the CRD has the new field and the operator is the new one; no pod was replaced."""
    default = installed.namespace
    helm("uninstall", RELEASE, "--wait")
    run("kubectl", "delete", "crd", CRD, "--timeout=60s")
    helm("install", RELEASE, str(_chart_before(tmp_path)), "--set=crds.upgrade=false")
    default.wait(f"orderservice/{RELEASE}", "condition=Ready", 120)
    assert not _has_paused()
    before = uids(default.pods(RELEASE))
    database = default.get("pod", f"{RELEASE}-postgresql-0")["metadata"]["uid"]

    helm("upgrade", RELEASE, "charts/orders", "--reset-values", limit=120)
    default.kubectl("rollout", "status", f"deployment/{OPERATOR}", "--timeout=90s")

    assert _has_paused()
    default.wait(f"orderservice/{RELEASE}", "condition=Ready", 60)
    assert before == uids(default.pods(RELEASE))
    assert database == default.get("pod", f"{RELEASE}-postgresql-0")["metadata"]["uid"]


def test_a_second_upgrade_with_other_values_reaches_the_service(installed: Installed) -> None:
    """A value of the OrderService is in force 60 s after `helm upgrade`."""
    default = installed.namespace
    helm("upgrade", RELEASE, "charts/orders", "--set=replicas=1", "--set=logLevel=DEBUG")

    default.wait(f"deployment/{RELEASE}", "jsonpath={.spec.replicas}=1", 60)
    default.wait(f"configmap/{RELEASE}-config", "jsonpath={.data.log-level}=DEBUG", 60)
    assert Namespace("default").exists("statefulset", f"{RELEASE}-postgresql")
