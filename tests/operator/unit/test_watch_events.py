"""What is taken from an event, and which resources it wakes."""

from typing import Any

import pytest

from orders_operator.watch_events import WatchedKind, watch_event

PODS = WatchedKind("v1", "pods")
OWNER = {"kind": "OrderService", "name": "x", "uid": "u", "controller": True}


def obj(**metadata: Any) -> dict[str, Any]:
    """Return an object with this metadata."""
    return {"metadata": {"name": "n", "namespace": "ns", "resourceVersion": "7"} | metadata}


def test_identity_and_nothing_else() -> None:
    """A watch event has no content: a Secret's event must not keep the secret."""
    seen = watch_event(
        WatchedKind("v1", "secrets"), None, obj() | {"data": {"password": "c2VjcmV0"}}
    )

    assert ("v1", "secrets", "ns", "n", "7") == (
        seen.api_version,
        seen.plural,
        seen.namespace,
        seen.name,
        seen.version,
    )
    assert "c2VjcmV0" not in repr(seen)


@pytest.mark.parametrize(
    ("event", "deleted"), [(None, False), ("ADDED", False), ("MODIFIED", False), ("DELETED", True)]
)
def test_deletions(event: str | None, deleted: bool) -> None:  # noqa: FBT001
    """Only a DELETED event says so; those of the first list have no type."""
    assert deleted == watch_event(PODS, event, obj()).deleted


def test_the_owner_is_the_controller_of_our_kind() -> None:
    """Other owners, and owners that do not control, are not whose child it is."""
    other = {"kind": "ReplicaSet", "name": "rs", "uid": "r", "controller": True}

    assert "x" == watch_event(PODS, None, obj(ownerReferences=[OWNER])).owner
    assert watch_event(PODS, None, obj(ownerReferences=[other])).owner is None
    assert (
        watch_event(PODS, None, obj(ownerReferences=[OWNER | {"controller": False}])).owner is None
    )
    assert watch_event(PODS, None, obj()).owner is None


def test_a_pod_is_found_by_its_label() -> None:
    """A ReplicaSet is between a pod and its OrderService."""
    assert "x" == watch_event(PODS, None, obj(labels={"app.kubernetes.io/instance": "x"})).instance
