"""From nothing to the first order, by Helm."""

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import Installed
from tests.helpers.cluster.kubectl import CHART, OPERATOR, helm, run
from tests.helpers.cluster.page_reader import ON_THE_WAY, paste
from tests.helpers.cluster.release import RELEASE
from tests.helpers.page_blocks import block
from tools.release.names import names

if TYPE_CHECKING:
    from orders_operator.objects import Object

pytestmark = pytest.mark.usefixtures("fresh_release")

LABELS = ("name", "instance", "component", "part-of", "managed-by")


def test_helm_install_gives_an_order_service_in_90_seconds(installed: Installed) -> None:
    """From `make cluster` to the first order placed and read take less than 90 s."""
    assert installed.seconds < 90

    service = installed.namespace.get("orderservice", RELEASE)
    found = {it["type"]: it["status"] for it in service["status"]["conditions"]}
    assert {
        "Ready": "True",
        "Progressing": "False",
        "Degraded": "False",
        "Migrated": "True",
        "MonitoringReady": "False",
        "Paused": "False",
        "Reconciling": "False",
        "Stalled": "False",
    } == found
    assert service["metadata"]["generation"] == service["status"]["observedGeneration"]
    assert {service["metadata"]["generation"]} == {
        it["observedGeneration"] for it in service["status"]["conditions"]
    }
    assert names().version == service["status"]["version"]
    assert service["status"]["image"].startswith(f"{names().image('service')}@sha256:")
    assert 1 <= service["status"]["schemaVersion"]
    assert f"http://{RELEASE}.default.svc" == service["status"]["url"]


def test_the_readme_works_as_it_stands(installed: Installed) -> None:
    """Pasted whole: the service is listed, tested, takes an order; a sample comes beside it."""
    printed = paste(block("README.md", "make cluster"), environ=ON_THE_WAY)

    try:
        assert "Phase:          Succeeded" in printed
        assert "HTTP/1.1 201 Created" in printed
        installed.namespace.rolled_out("minimal", 90)
    finally:
        installed.namespace.kubectl("delete", "-f", "k8s/samples/minimal.yaml")
        installed.namespace.wait("pod/minimal-postgresql-0", "delete", 60)
        installed.namespace.kubectl("delete", "pvc", "data-minimal-postgresql-0")


def test_an_order_is_placed_as_the_page_says(installed: Installed) -> None:
    """Through a port of this machine."""
    assert installed.namespace.exists("service", RELEASE)
    printed = paste(block("docs/kubernetes.md", "kubectl port-forward service/orders"))

    assert "HTTP/1.1 201 Created" in printed


def test_helm_test_passes(installed: Installed) -> None:
    """`helm test` places an order, sends it again and reads it, in 60 s."""
    assert "Phase:          Succeeded" in helm("test", RELEASE, limit=60)
    assert installed.namespace.exists("orderservice", RELEASE)


def test_nothing_is_refused_under_the_restricted_standard(installed: Installed) -> None:
    """No pod of the release was refused: the hook's, the test's and the database's ran as well."""
    labels = installed.namespace.get("namespace", "default")["metadata"]["labels"]
    assert "restricted" == labels["pod-security.kubernetes.io/enforce"]
    told = [it.get("message", "") for it in installed.namespace.every("events")]
    assert [] == [message for message in told if "violates PodSecurity" in message]
    [database] = installed.namespace.every(
        "pods", f"app.kubernetes.io/instance={RELEASE},app.kubernetes.io/component=database"
    )
    assert "initContainers" not in database["spec"]


@pytest.mark.usefixtures("installed")
def test_every_object_has_the_recommended_labels() -> None:
    """Objects of the chart and of the operator say what they belong to."""
    kinds = (
        "serviceaccounts,configmaps,secrets,services,deployments,statefulsets,networkpolicies,"
        "poddisruptionbudgets,pods,leases"
    )
    found: list[Object] = json.loads(
        run("kubectl", "get", kinds, "--namespace=default", "-o", "json")
    )["items"]
    ours = [it for it in found if it["metadata"]["name"].startswith(RELEASE)]

    assert 15 < len(ours)
    assert [] == [
        (it["kind"], it["metadata"]["name"], label)
        for it in ours
        for label in LABELS
        if f"app.kubernetes.io/{label}" not in it["metadata"].get("labels", {})
    ]
    operators = [it for it in ours if it["metadata"]["name"].startswith(OPERATOR)]
    assert {"operator"} == {
        it["metadata"]["labels"]["app.kubernetes.io/component"] for it in operators
    }


def test_kubectl_get_shows_how_it_is(installed: Installed) -> None:
    """The short name, the category and the columns work."""
    head, line = installed.namespace.kubectl("get", "osvc", RELEASE).splitlines()

    columns = ["NAME", "READY", "REPLICAS", "VERSION", "MIGRATION", "ROLLOUT", "AGE"]
    assert columns == head.split()
    assert [RELEASE, "True", "2", names().version, "Migrated", "Stable"] == line.split()[:6]
    assert "orderservice.orders.dev/orders" in installed.namespace.kubectl("get", "all")


def test_the_notes_say_how_to_place_an_order(installed: Installed) -> None:
    """What `helm install` printed has the commands."""
    notes = helm("get", "notes", RELEASE)

    assert "port-forward service/orders 8000:80" in notes
    assert "/orders -H 'content-type: application/json'" in notes
    assert installed.namespace.name in notes
    assert (CHART / "Chart.yaml").is_file()
