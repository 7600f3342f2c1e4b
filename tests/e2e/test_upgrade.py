"""From the chart before to this one: pods keep running, and the CRD gets what is new."""

from pathlib import Path

from tests.e2e.cluster import OPERATOR, Namespace, helm, run, uids
from tests.e2e.conftest import Installed
from tests.e2e.release import RELEASE, chart_before

CRD = "orderservices.orders.dev"


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
    helm("install", RELEASE, str(chart_before(tmp_path)), "--set=crds.upgrade=false")
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
