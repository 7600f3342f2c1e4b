"""What is not applied where something else could not be made."""

from typing import Any

from orders_operator.reconcile.apply_order import needs

COPY = "shop-a-1"


def made(kind: str, name: str, **content: Any) -> dict[str, Any]:
    """Return an object."""
    return {"kind": kind, "metadata": {"name": name}, **content}


def deployment(revision: str, copy: str = "") -> dict[str, Any]:
    """Return a Deployment of a revision that reads a copy of a ConfigMap."""
    source = {"configMapKeyRef": {"name": copy, "key": "x"}}
    env = [{"name": "X", "valueFrom": source}] if copy else []
    labels = {"orders.dev/revision": revision}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "orders", "env": env}]},
    }
    return made("Deployment", "shop", spec={"template": template})


def test_a_deployment_needs_its_own_revision() -> None:
    """A refusal of another one's holds it up no more than a Service's does."""
    absent = made("ControllerRevision", "shop-a")
    absent["metadata"]["labels"] = {"orders.dev/revision": "a"}
    assert needs(deployment("a"), absent)
    assert not needs(deployment("b"), absent)
    assert not needs(deployment("a"), made("Service", "shop"))


def test_a_copy_is_needed_by_those_who_read_it() -> None:
    """A ConfigMap that is no copy is read by all pods."""
    copy = made("ConfigMap", COPY, immutable=True)
    assert needs(deployment("a", COPY), copy)
    assert not needs(deployment("b"), copy)
    revision = made("ControllerRevision", "shop-a")
    assert not needs(revision, copy)
    revision["metadata"]["annotations"] = {"orders.dev/config-copy": COPY}
    assert needs(revision, copy)
    assert needs(deployment("b"), made("ConfigMap", "shop"))


def test_a_route_needs_its_services() -> None:
    """It would lead to somebody else's."""
    assert needs(made("HTTPRoute", "shop"), made("Service", "shop"))
    assert not needs(made("Service", "shop"), made("HTTPRoute", "shop"))
