"""Whose an object is, and which objects without an owner are adopted."""

from typing import Any

import pytest

from orders_operator.reconcile.owner import Owner

OWNER = Owner("ns", "shop", "new")
LABELS = {"app.kubernetes.io/instance": "shop", "app.kubernetes.io/managed-by": "orders-operator"}
APPLIED = [{"manager": "orders-operator", "operation": "Apply"}]
REFERENCE = {"kind": "OrderService", "name": "shop", "uid": "new", "controller": True}
OLD = {**REFERENCE, "uid": "old"}


def made(**metadata: Any) -> dict[str, Any]:
    """Return an orphan, but for these metadata."""
    orphan = {
        "name": "shop",
        "uid": "1",
        "resourceVersion": "7",
        "labels": LABELS,
        "managedFields": APPLIED,
    }
    return {"metadata": orphan | metadata}


@pytest.mark.parametrize("owners", [None, [], [OLD], [{"kind": "Team", "name": "a", "uid": "b"}]])
def test_an_orphan_is_ours(owners: Any) -> None:
    """Without a controller, and with one that was an OrderService of this name."""
    orphan = made(ownerReferences=owners)
    assert (False, True, True) == (
        OWNER.controls(orphan),
        OWNER.orphaned(orphan),
        OWNER.owns(orphan),
    )


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": None},
        {"labels": {**LABELS, "app.kubernetes.io/instance": "other"}},
        {"managedFields": None},
        {"managedFields": [{"manager": "kubectl", "operation": "Apply"}]},
        {"managedFields": [{"manager": "orders-operator", "operation": "Update"}]},
        {"ownerReferences": [{**OLD, "name": "other"}]},
        {"ownerReferences": [{**OLD, "kind": "Deployment"}]},
        {"deletionTimestamp": "2026-01-01T00:00:00Z", "ownerReferences": [OLD]},
    ],
)
def test_what_is_foreign_is_never_ours(metadata: Any) -> None:
    """Without our marks, with another controller, or on its way out."""
    assert not OWNER.owns(made(**metadata))


def test_what_is_controlled_is_no_orphan() -> None:
    """It has its owner."""
    child = made(ownerReferences=[REFERENCE])
    assert (True, False) == (OWNER.owns(child), OWNER.orphaned(child))


def test_an_adoption_replaces_the_controller_alone() -> None:
    """Other owners stay, and an object that was changed meanwhile is not adopted."""
    team = {"kind": "Team", "name": "a", "uid": "b"}
    patch = OWNER.adopted(made(ownerReferences=[OLD, team]), REFERENCE)
    expected = {"uid": "1", "resourceVersion": "7", "ownerReferences": [team, REFERENCE]}
    assert {"metadata": expected} == patch
