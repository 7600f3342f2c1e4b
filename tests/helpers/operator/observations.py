"""What the operator may see of a Deployment and its pods, and what it says of that."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from orders_operator.reconcile.observed import Observed
from orders_operator.reconcile.summary import summarise
from orders_operator.rollout.tracks import Tracks, TrackState

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REPORT = '{"version":"0.1.0","schema":3}'

numbers = st.integers(0, 5)


def deployment(  # noqa: PLR0913  what a Deployment's status has
    wanted: int = 2,
    updated: int = 2,
    total: int = 2,
    available: int = 2,
    reason: str = "NewReplicaSetAvailable",
    observed: int = 1,
) -> dict[str, Any]:
    """Return a Deployment with this status."""
    return {
        "metadata": {"name": "x", "generation": 1},
        "spec": {"replicas": wanted, "template": {"metadata": {"labels": {}}}},
        "status": {
            "observedGeneration": observed,
            "replicas": total,
            "updatedReplicas": updated,
            "availableReplicas": available,
            "readyReplicas": available,
            "conditions": [{"type": "Progressing", "status": "True", "reason": reason}],
        },
    }


def pod(
    migrate: dict[str, Any] | None = None,
    orders: dict[str, Any] | None = None,
    *,
    ready: bool = True,
    **container: Any,
) -> dict[str, Any]:
    """Return a pod with these container states; by default it migrated and runs."""
    return {
        "metadata": {"name": "x-1", "uid": "uid-1", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "status": {
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "initContainerStatuses": [
                {
                    "name": "migrate",
                    "state": migrate or {"terminated": {"exitCode": 0, "message": REPORT}},
                }
            ],
            "containerStatuses": [
                {
                    "name": "orders",
                    "state": orders or {"running": {}},
                    "imageID": "docker.io/orders/service@sha256:abc",
                    "ready": ready,
                    **container,
                }
            ],
        },
    }


def seen(**fields: Any) -> Observed:
    """Return an observation that is well, but for the given fields."""
    stable = TrackState(fields.pop("deployment", deployment()), fields.pop("pods", (pod(),)))
    well: dict[str, Any] = {
        "generation": 1,
        "tracks": Tracks(stable),
        "image": "orders/service:0.1.0",
        "url": "http://x.ns.svc",
    }
    return Observed(**(well | fields))


def conditions(status: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return status and reason of each condition."""
    return {it["type"]: (it["status"], it["reason"]) for it in status["conditions"]}


def of(**fields: Any) -> dict[str, tuple[str, str]]:
    """Return the conditions of an observation."""
    return conditions(summarise(seen(**fields), {}, NOW))
