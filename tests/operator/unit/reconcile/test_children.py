"""What counts as a change of a child."""

from orders_operator.objects import Object
from orders_operator.reconcile.apply_cache import altered


def deployment(version: str, available: int, **labels: str) -> Object:
    """Return a Deployment as the API server gives it."""
    return {
        "metadata": {
            "name": "orders",
            "labels": labels,
            "resourceVersion": version,
            "managedFields": [{"manager": "kube-controller-manager", "time": version}],
        },
        "spec": {"replicas": 3},
        "status": {"availableReplicas": available},
    }


def test_a_status_that_moved_on_meanwhile_is_no_change_of_ours() -> None:
    """Or the log and the metric would tell of a change at every pod of a rolling update."""
    before = deployment("7", 2)
    assert not altered(before, deployment("8", 3))
    assert altered(before, deployment("8", 3, team="shop"))
    assert altered(before, deployment("8", 2) | {"spec": {"replicas": 4}})
