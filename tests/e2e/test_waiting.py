"""Who waits for an OrderService, waits no longer than helps: kubectl, and Helm by kstatus."""

import time
from typing import Final

import pytest

from tests.helpers.cluster.kubectl import (
    ABSENT,
    CommandError,
    Namespace,
    helm,
    order_service,
    secret,
)
from tests.helpers.cluster.postgresql import PostgreSQL

DONE: Final = "condition=Reconciling=false"
NAME: Final = "waited"
_VALUES: Final = (
    "operator.enabled=false",
    f"orderService.name={NAME}",
    "database.secretRef.name=database",
    "replicas=1",
    "shutdown.delay=1s",
    "rollout.progressDeadline=20s",
)


def test_kubectl_waits_for_the_end_whichever_it_is(namespace: Namespace) -> None:
    """A new OrderService and a revision that fails are waited for; Stalled tells them apart."""
    namespace.apply(order_service("ended", rollout={"progressDeadline": "20s"}))
    namespace.wait("orderservice/ended", DONE, 90)
    ready, stalled = (namespace.condition("ended", it)["status"] for it in ("Ready", "Stalled"))
    assert ("True", "False") == (ready, stalled)

    namespace.patch("orderservice", "ended", {"spec": {"image": ABSENT}})
    namespace.wait("orderservice/ended", DONE, 90)
    stalled = namespace.condition("ended", "Stalled")
    assert ("True", "RolledBack") == (stalled["status"], stalled["reason"])
    namespace.kubectl("delete", "orderservice", "ended")


def test_what_may_still_come_is_waited_for(namespace: Namespace, postgresql: PostgreSQL) -> None:
    """Without its Secret and while it is paused it is Reconciling, of the generation of now."""
    namespace.apply(order_service("early", database={"secretRef": {"name": "later"}}))
    reason = "jsonpath={.status.conditions[?(@.type=='Reconciling')].reason}"
    namespace.wait("orderservice/early", f"{reason}=SecretMissing", 20)

    namespace.patch("orderservice", "early", {"spec": {"paused": True}})
    namespace.wait("orderservice/early", f"{reason}=Paused", 20)
    found = namespace.get("orderservice", "early")
    assert found["metadata"]["generation"] == found["status"]["observedGeneration"]

    namespace.patch("orderservice", "early", {"spec": {"paused": False}})
    namespace.apply(secret("later", url=postgresql.database()))
    namespace.wait("orderservice/early", DONE, 90)
    assert "True" == namespace.condition("early", "Ready")["status"]
    namespace.kubectl("delete", "orderservice", "early")


def test_helm_waits_for_it_and_ends_where_nothing_will_move(namespace: Namespace) -> None:
    """With --wait an install ends when it serves, and a bad image fails long before 5 minutes."""
    if not helm("version", "--short").startswith("v4"):
        pytest.skip("Helm 3 waits for no custom resource")
    _upgrade(namespace)
    assert "True" == namespace.condition(NAME, "Ready")["status"]

    started = time.monotonic()
    with pytest.raises(CommandError, match="Failed"):
        _upgrade(namespace, "image.repository=localhost:1/orders/service", "image.tag=absent")
    assert time.monotonic() - started < 150
    assert "RolledBack" == namespace.condition(NAME, "Stalled")["reason"]
    helm("uninstall", NAME, "--namespace", namespace.name)


def _upgrade(namespace: Namespace, *values: str) -> None:
    """Install or upgrade a release of an OrderService alone, and wait by Helm's own means."""
    given = [f"--set={it}" for it in (*_VALUES, *values)]
    where = ["--namespace", namespace.name, "--wait", "--timeout=5m"]
    helm("upgrade", "--install", NAME, "charts/orders", *where, *given, limit=330)
