"""Prometheus finds the pods by itself, and every alert is one that it can evaluate."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import yaml

from tests.helpers.cluster import monitoring
from tests.helpers.cluster.kubectl import CHART, Namespace, helm, order_service, run, secret
from tests.helpers.cluster.outside_caller import Caller
from tests.helpers.cluster.page_reader import paste
from tests.helpers.cluster.release import RELEASE
from tests.helpers.page_blocks import block

if TYPE_CHECKING:
    from orders_operator.objects import Object

pytestmark = pytest.mark.starts_early(seconds=160)

ALERTS: Final = sorted((CHART / "files" / "alerts").glob("*.yaml"))
READY: Final = "jsonpath={.status.conditions[?(@.type=='MonitoringReady')].%s}=%s"


def test_without_the_crd_the_rest_is_ready(namespace: Namespace, service: str) -> None:
    """MonitoringReady is False/CRDMissing while Ready is True."""
    condition = namespace.condition(service, "MonitoringReady")

    assert ("False", "CRDMissing") == (condition["status"], condition["reason"])
    assert "True" == namespace.condition(service, "Ready")["status"]


def test_the_crd_appears_and_the_monitor_is_made(namespace: Namespace, service: str) -> None:
    """Within 60 s of the CRD, without a restart of the operator; it changes and goes in 15 s."""
    operators = Namespace("default").every("pods", "app.kubernetes.io/component=operator")
    before = {pod["metadata"]["uid"] for pod in operators}
    monitoring.install_crds()
    namespace.wait(f"orderservice/{service}", "condition=MonitoringReady", 60)
    assert namespace.exists("servicemonitor", service)

    operators = Namespace("default").every("pods", "app.kubernetes.io/component=operator")
    assert before == {pod["metadata"]["uid"] for pod in operators}
    assert [0] * len(operators) == [
        pod["status"]["containerStatuses"][0]["restartCount"] for pod in operators
    ]

    change = {"monitoring": {"interval": "5s", "labels": {"team": "shop"}}}
    namespace.patch("orderservice", service, {"spec": change})
    namespace.wait(f"servicemonitor/{service}", "jsonpath={.spec.endpoints[0].interval}=5s", 15)
    assert "shop" == namespace.get("servicemonitor", service)["metadata"]["labels"]["team"]
    namespace.patch("orderservice", service, {"spec": {"monitoring": {"enabled": False}}})
    namespace.wait(f"servicemonitor/{service}", "delete", 15)
    reason = READY % ("reason", "MonitoringDisabled")
    namespace.wait(f"orderservice/{service}", reason, 15)
    namespace.patch("orderservice", service, {"spec": {"monitoring": {"enabled": True}}})
    namespace.wait(f"servicemonitor/{service}", "create", 15)


def test_a_monitor_that_drifts_is_repaired(namespace: Namespace, service: str) -> None:
    """Deleted, it is back within 15 s."""
    namespace.kubectl("delete", "servicemonitor", service)
    namespace.wait(f"servicemonitor/{service}", "create", 15)


@pytest.fixture(scope="module")
def prometheus(installed: object) -> Iterator[Namespace]:  # noqa: ARG001  the operator
    """Run Prometheus, with the chart's rules and ServiceMonitor."""
    monitoring.install_crds()
    paste(block("docs/kubernetes.md", "helm upgrade orders charts/orders --reuse-values"))
    every = "--set-json=prometheusRule.disabled=[]"
    helm("upgrade", RELEASE, "charts/orders", "--reuse-values", every)
    made = monitoring.install()  # last: a running one learns of a change only after a minute
    yield made
    run("kubectl", "delete", "namespace", made.name, "--wait=false")


@pytest.mark.usefixtures("prometheus")
def test_prometheus_scrapes_the_pods(namespace: Namespace, service: str) -> None:
    """Within 90 s, through the ServiceMonitor, each pod is up and its metrics are there."""
    target = f'namespace="{namespace.name}",service="{service}"'
    [up] = monitoring.scraped(f"up{{{target}}} == 1", 90)
    [pod] = namespace.pods(service)
    assert pod["metadata"]["name"] == up["metric"]["pod"]
    labels = pod["metadata"]["labels"]
    assert "stable" == labels["orders.dev/track"] == up["metric"]["orders_dev_track"]
    assert labels["orders.dev/revision"] == up["metric"]["orders_dev_revision"]

    namespace.kubectl(
        "get", "--raw", f"/api/v1/namespaces/{namespace.name}/services/{service}:http/proxy/orders"
    )
    [count] = monitoring.scraped(
        f'http_server_request_duration_seconds_count{{{target},http_route="/orders"}} > 0', 30
    )
    assert "200" == count["metric"]["http_response_status_code"]


@pytest.mark.usefixtures("prometheus")
def test_the_operator_is_scraped_too() -> None:
    """Within 60 s its metrics are there: one leader, and each resource's conditions."""
    assert 1 == len(monitoring.scraped("orders_operator_leader == 1", 60))
    ready = f'orders_operator_condition{{namespace="default",name="{RELEASE}",type="Ready"'
    assert [] != monitoring.scraped(f'{ready},status="True"}} == 1', 60)


@pytest.mark.usefixtures("prometheus")
def test_every_alert_is_loaded_and_evaluates() -> None:
    """Prometheus has every alert of the chart within 90 s, evaluates it, and finds it healthy."""
    wanted = {path.stem for path in ALERTS}
    assert 7 <= len(wanted)
    helm_rules = Namespace("default")
    helm_rules.wait(f"prometheusrule/{RELEASE}", "create", 10)

    def fared() -> dict[str, str]:
        return {it["name"]: it["health"] for it in monitoring.rules() if it["type"] == "alerting"}

    helm_rules.until(lambda: fared() == dict.fromkeys(wanted, "ok"), 120, "all alerts are ok")


@pytest.mark.usefixtures("prometheus")
@pytest.mark.parametrize("path", ALERTS, ids=lambda path: path.stem)
def test_an_alert_asks_for_metrics_that_exist(path: Path) -> None:
    """Each metric that its expression names is one that the service or the operator has."""
    expression = yaml.safe_load(path.read_text())["expr"]
    monitoring.query(expression)
    without_labels = re.sub(r"\{[^}]*\}|\b(by|on|without|ignoring) ?\([^)]*\)", "", expression)
    names = set(re.findall(r"\b(?:orders|http|db|process)_\w+", without_labels))
    every = '{__name__=~"(orders|http|db|process)_.+"}'
    found = {it["metric"]["__name__"] for it in monitoring.query(every)}

    assert set() != names
    # What has labels has no series before its first event, but is described.
    described = monitoring.described()
    absent = names - found - described
    assert set() == {it for it in absent if it.removesuffix("_total") not in described}


@pytest.mark.usefixtures("prometheus")
def test_an_alert_fires_when_it_should(namespace: Namespace) -> None:
    """A service that cannot migrate makes OrdersMigrationFailed pending or firing within 120 s."""
    namespace.apply(
        secret("broken", url="postgresql://nobody@nowhere.invalid/orders"),
        order_service(
            "alarming",
            migrations={"timeout": "1s"},
            database={"secretRef": {"name": "broken"}},
        ),
    )
    alert = f'ALERTS{{alertname="OrdersMigrationFailed",namespace="{namespace.name}"}}'
    assert [] != monitoring.scraped(alert, 120)
    namespace.kubectl("delete", "orderservice", "alarming")


@pytest.mark.usefixtures("prometheus")
def test_a_canary_is_judged_by_a_prometheus(namespace: Namespace) -> None:
    """One that is away holds it, Inconclusive, and is named; one that has its metrics lets it in.

    The operator's own NetworkPolicy is in force, and Prometheus scrapes with the key of the
    ServiceMonitor: without it, it would have no metrics.
    """
    steps = [{"weight": 50, "duration": "5s"}]
    analysis = {
        "interval": "15s",
        "minRequests": 10,
        "prometheus": {"url": "http://nobody.monitoring.svc:9090"},
    }
    canary = {"steps": steps, "analysis": analysis}
    rollout = {"strategy": "Canary", "canary": canary, "bake": "5s"}
    closed = {"interval": "5s", "auth": True}
    namespace.apply(order_service("asked", monitoring=closed, rollout=rollout))
    namespace.rolled_out("asked", 90)
    with Caller(namespace, "asked"):
        change: Object = {"podTemplate": {"env": [{"name": "REQUEST_TIMEOUT", "value": "6s"}]}}
        namespace.patch("orderservice", "asked", {"spec": change})
        held = "jsonpath={.status.rollout.analysis.verdict}=Inconclusive"
        namespace.wait("orderservice/asked", held, 90)
        message = namespace.rollout("asked")["message"]
        assert "cannot be queried" in message
        assert "Its host is nobody.monitoring.svc, its port 9090" in message
        assert "operator.networkPolicy.prometheusPorts" in message

        namespace.annotate("asked", pause=namespace.rollout("asked")["revision"])
        url = {"prometheus": {"url": "http://prometheus-operated.monitoring.svc:9090"}}
        change = {"rollout": {"canary": {"analysis": url}}}
        namespace.patch("orderservice", "asked", {"spec": change})
        passed = "jsonpath={.status.rollout.analysis.verdict}=Passed"
        # Its configuration is mounted: a kubelet that is busy shows it the change in two minutes.
        namespace.wait("orderservice/asked", passed, 240)
        assert 10 <= namespace.rollout("asked")["analysis"]["canary"]["requests"]
        namespace.annotate("asked")
        namespace.rolled_out("asked", 60)
    namespace.kubectl("delete", "orderservice", "asked")
