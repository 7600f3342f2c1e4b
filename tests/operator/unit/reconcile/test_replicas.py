"""How the number of pods passes from the operator to the autoscaler and back."""

from typing import Any

from orders_operator.reconcile.replicas import KEEPER, handover, owns_replicas

MANAGER = "orders-operator"
IDENTITY = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "x", "namespace": "ns"},
}


def wanted(**spec: Any) -> dict[str, Any]:
    """Return the Deployment that is applied."""
    return IDENTITY | {"spec": {"template": {}, **spec}}


def live(*owners: str, replicas: int = 3) -> dict[str, Any]:
    """Return the Deployment of the cluster, whose replicas these managers own."""
    fields = [
        {
            "manager": owner,
            "operation": "Apply",
            "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {}}},
        }
        for owner in owners
    ]
    scale = {
        "manager": "kube-controller-manager",
        "operation": "Update",
        "subresource": "scale",
        "fieldsV1": {"f:spec": {"f:replicas": {}}},
    }
    return {
        "metadata": {"managedFields": [scale, *fields]},
        "spec": {"replicas": replicas},
    }


def test_a_new_deployment_needs_nothing() -> None:
    """There is nothing to hand over before there is a Deployment."""
    step = handover(wanted(), None, MANAGER)

    assert (None, None) == (step.before, step.after)


def test_the_autoscaler_takes_over_what_is_live() -> None:
    """Before the operator leaves the field out, the keeper takes the live value."""
    step = handover(wanted(), live(MANAGER, replicas=7), MANAGER)

    assert IDENTITY | {"spec": {"replicas": 7}} == step.before
    assert step.after is None


def test_once_handed_over_nothing_more_is_done() -> None:
    """The keeper must not fight the autoscaler."""
    for owners in ((), (KEEPER,)):
        step = handover(wanted(), live(*owners), MANAGER)
        assert (None, None) == (step.before, step.after)


def test_the_operator_takes_back() -> None:
    """When the operator sets the field again, the keeper gives it up afterwards."""
    step = handover(wanted(replicas=2), live(KEEPER), MANAGER)

    assert step.before is None
    assert step.after == IDENTITY


def test_without_autoscaler_nothing_is_done() -> None:
    """The usual apply takes one call."""
    step = handover(wanted(replicas=2), live(MANAGER), MANAGER)

    assert (None, None) == (step.before, step.after)


def test_only_an_apply_of_the_object_owns() -> None:
    """The scale subresource's manager is somebody else."""
    assert not owns_replicas(live(), "kube-controller-manager")
    assert owns_replicas(live(MANAGER), MANAGER)
