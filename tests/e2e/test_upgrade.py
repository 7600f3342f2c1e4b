"""From the chart before to this one: pods keep running, and the CRD gets what is new.

So do they when the operator before rendered them otherwise, wherever their rollout is.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from orders_operator.objects import Object
from tests.e2e.conftest import Installed
from tests.e2e.images.otherwise.otherwise import TIMEOUT
from tests.helpers.cluster.kubectl import (
    ABSENT,
    OPERATOR,
    Namespace,
    helm,
    order_service,
    run,
    uids,
)
from tests.helpers.cluster.other_operator import otherwise, reconciled, state, timeouts
from tests.helpers.cluster.page_reader import paste
from tests.helpers.cluster.release import RELEASE, chart_before
from tests.helpers.page_blocks import block

pytestmark = pytest.mark.usefixtures("operator_away")

CRD = "orderservices.orders.dev"
USUAL: Final = 2
"""Seconds that a probe of the service takes at most."""
STEADY: Final = "steady"
SERVICES: Final = (STEADY, "halfway", "back")
_STANDING: Final = {"strategy": "Canary", "canary": {"steps": [{"weight": 50, "duration": "1h"}]}}


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
    chart = chart_before(tmp_path)
    # Its hook would apply the CRD of this operator. An upgrade reuses what was set by a flag.
    values = (chart / "values.yaml").read_text()
    assert "\n  upgrade: true\n" in values
    (chart / "values.yaml").write_text(
        values.replace("  upgrade: true\n", "  upgrade: false\n", 1)
    )
    helm("install", RELEASE, str(chart))
    default.rolled_out(RELEASE, 120)
    assert not _has_paused()
    before = uids(default.pods(RELEASE))
    database = default.get("pod", f"{RELEASE}-postgresql-0")["metadata"]["uid"]

    paste(block("docs/kubernetes.md", "helm upgrade orders charts/orders --reset-then-reuse"))
    default.kubectl("rollout", "status", f"deployment/{OPERATOR}", "--timeout=90s")

    assert _has_paused()
    default.rolled_out(RELEASE, 60)
    assert before == uids(default.pods(RELEASE))
    assert database == default.get("pod", f"{RELEASE}-postgresql-0")["metadata"]["uid"]


def test_a_second_upgrade_with_other_values_reaches_the_service(installed: Installed) -> None:
    """A value of the OrderService is in force 60 s after `helm upgrade`."""
    default = installed.namespace
    helm("upgrade", RELEASE, "charts/orders", "--set=replicas=1", "--set=logLevel=DEBUG")

    default.wait(f"deployment/{RELEASE}", "jsonpath={.spec.replicas}=1", 60)
    default.wait(f"configmap/{RELEASE}-config", "jsonpath={.data.log-level}=DEBUG", 60)
    assert Namespace("default").exists("statefulset", f"{RELEASE}-postgresql")


def test_what_another_operator_rendered_stays(installed: Installed, namespace: Namespace) -> None:
    """One service is stable, one in a canary, one rolled back: pods and rollouts stay as they are.

    The operator before had another time-out of every probe, of the embedded database's as well.
    """
    with otherwise(installed.namespace):
        namespace.apply(
            order_service(STEADY, database={"embedded": {}}),
            order_service("halfway", rollout=_STANDING),
            order_service("back", rollout={"progressDeadline": "20s"}),
        )
        for name in SERVICES:
            namespace.rolled_out(name, 120)
        namespace.patch("orderservice", "back", {"spec": {"image": ABSENT}})
        env = [{"name": "REQUEST_TIMEOUT", "value": "6s"}]
        namespace.patch("orderservice", "halfway", {"spec": {"podTemplate": {"env": env}}})
        namespace.wait("orderservice/halfway", "jsonpath={.status.rollout.settledAt}", 90)
        namespace.wait("orderservice/back", "jsonpath={.status.rollout.phase}=RolledBack", 90)
        namespace.until(lambda: all(map(_is_whole, namespace.every("pods"))), 60, "all serve")
        before = {name: state(namespace, name) for name in SERVICES}
        phases = [before[name]["rollout"]["phase"] for name in SERVICES]
        assert ["Stable", "Canary", "RolledBack"] == phases
        assert [{TIMEOUT}] * 5 == [timeouts(pod["spec"]) for pod in namespace.every("pods")]
    reconciled(namespace, *SERVICES)

    assert before == {name: state(namespace, name) for name in SERVICES}


def test_a_restart_rolls_to_what_this_operator_renders(namespace: Namespace) -> None:
    """The annotation `orders.dev/restart` replaces the stable service's pods, and no others."""
    others = {name: state(namespace, name) for name in SERVICES[1:]}
    database = namespace.get("pod", f"{STEADY}-postgresql-0")
    before = uids(namespace.pods(STEADY))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    namespace.kubectl("annotate", "orderservice", STEADY, f"orders.dev/restart={now}")

    namespace.replaced(STEADY, before, 90)
    namespace.rolled_out(STEADY, 60)
    assert [{USUAL}] == [timeouts(pod["spec"]) for pod in namespace.pods(STEADY)]
    assert database["metadata"]["uid"] in uids(namespace.every("pods"))
    assert others == {name: state(namespace, name) for name in SERVICES[1:]}


def _is_whole(pod: Object) -> bool:
    """Whether it serves, and will go on to."""
    ready = {it["type"]: it["status"] for it in pod["status"].get("conditions", ())}.get("Ready")
    return ready == "True" and "deletionTimestamp" not in pod["metadata"]
