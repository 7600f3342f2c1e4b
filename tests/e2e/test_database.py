"""The pod of an embedded database, with a kubelet that has its own mind."""

from typing import Any, Final

import pytest

from tests.helpers.cluster.kubectl import ABSENT, Namespace, order_service, restrict

pytestmark = pytest.mark.starts_early(seconds=145)

NAME: Final = "tried"
POD: Final = f"{NAME}-postgresql-0"
LARGE: Final = {"requests": {"cpu": "1000"}}
BAD: Final = [("image", ABSENT), ("resources", LARGE)]


@pytest.mark.parametrize(("field", "value"), BAD)
def test_what_was_bad_from_the_start_is_taken_back(
    namespace: Namespace, field: str, value: Any
) -> None:
    """Nobody deletes a pod: Ready within 180 s, with the claim that there was."""
    name = f"{NAME}-{field}"
    pod, claim = f"{name}-postgresql-0", f"data-{name}-postgresql-0"
    namespace.apply(order_service(name, database={"embedded": {field: value}}))
    namespace.told(name, "The embedded database: ", 120)
    before = [namespace.get(*it)["metadata"]["uid"] for it in (("pod", pod), ("pvc", claim))]

    namespace.patch("orderservice", name, {"spec": {"database": {"embedded": {field: None}}}})
    namespace.rolled_out(name, 180)
    after = [namespace.get(*it)["metadata"]["uid"] for it in (("pod", pod), ("pvc", claim))]
    assert (True, True) == (before[0] != after[0], before[1] == after[1])


def test_what_was_bad_later_is_taken_back_with_the_orders(namespace: Namespace) -> None:
    """The pod that served is gone; another one has its data within 180 s."""
    namespace.apply(order_service(NAME, database={"embedded": {}}))
    namespace.rolled_out(NAME, 180)
    kept = ("exec", POD, "--", "psql", "--username=orders", "--command")
    namespace.kubectl(*kept, "CREATE TABLE kept ()")
    namespace.patch("orderservice", NAME, {"spec": {"database": {"embedded": {"image": ABSENT}}}})
    namespace.told(NAME, "ImagePull", 120)

    namespace.patch("orderservice", NAME, {"spec": {"database": {"embedded": {"image": None}}}})
    namespace.wait(f"statefulset/{NAME}-postgresql", "jsonpath={.status.readyReplicas}=1", 180)
    namespace.rolled_out(NAME, 60)
    namespace.kubectl(*kept, "SELECT FROM kept")
    namespace.wait(f"orderservice/{NAME}", "condition=Degraded=False", 60)


def test_a_pod_that_the_namespace_refuses_is_told(namespace: Namespace) -> None:
    """In the API server's words, which the StatefulSet's own controller has put into an Event."""
    name = f"{NAME}-refused"
    embedded = {"volumePermissions": True, "resources": {"requests": {"cpu": "10m"}}}
    restrict(namespace.name)
    namespace.apply(order_service(name, database={"embedded": embedded}))
    namespace.told(name, "violates PodSecurity", 120)

    change = {"spec": {"database": {"embedded": {"volumePermissions": None}}}}
    namespace.patch("orderservice", name, change)
    namespace.rolled_out(name, 180)
