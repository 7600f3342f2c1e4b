"""Objects of a cluster as the API server returns them, cut to what the plugin reads."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from orders_operator.objects import Object

NOW: Final = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
OLD: Final = "5f8a9c0d1e"
NEW: Final = "7c9f1b2a3d"
OLD_PODS: Final = "6d4cf56db6"
NEW_PODS: Final = "78b9c4d5f8"
UNREADY: Final[Object] = {"conditions": [{"type": "Ready", "status": "False"}]}
"""Status of a pod that takes no requests."""
_LABELS: Final = {
    "app.kubernetes.io/name": "orders",
    "app.kubernetes.io/instance": "orders",
    "app.kubernetes.io/component": "api",
}
_OWNER: Final = {"kind": "OrderService", "name": "orders", "uid": "u-1", "controller": True}


def ago(*, days: float = 0, minutes: float = 0, seconds: float = 0) -> str:
    """Return the stamp of a time before NOW."""
    then = NOW - timedelta(days=days, minutes=minutes, seconds=seconds)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(kind: str, status: str, reason: str, message: str, since: str) -> Object:
    """Return a metav1.Condition."""
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": since,
        "observedGeneration": 3,
    }


def service(rollout: Object | None, /, *conditions: Object, **declared: Any) -> Object:
    """Return an OrderService `orders` in `shop`, as its status says; `declared` is of its spec."""
    status: Object = {
        "conditions": list(conditions),
        "observedGeneration": 3,
        "version": "0.1.0",
        "image": "orders/service:0.1.0",
        "schemaVersion": 1,
        "url": "http://orders.shop.svc",
    }
    return {
        "apiVersion": "orders.dev/v1alpha1",
        "kind": "OrderService",
        "metadata": {"name": "orders", "namespace": "shop", "uid": "u-1", "generation": 3},
        "spec": {
            "image": "orders/service:0.2.0",
            "replicas": 3,
            "database": {"secretRef": {"name": "database"}},
            "rollout": {"strategy": "Canary"},
            **declared,
        },
        "status": status | ({} if rollout is None else {"rollout": rollout}),
    }


def revision(name: str, number: int, image: str, created: str) -> Object:
    """Return a ControllerRevision."""
    template = {"spec": {"containers": [{"name": "orders", "image": image}]}}
    return {
        "metadata": {
            "name": f"orders-{name}",
            "creationTimestamp": created,
            "labels": {"orders.dev/revision": name},
            "ownerReferences": [_OWNER],
        },
        "revision": number,
        "data": {"spec": {"template": template}},
    }


def old_revision(number: int = 2) -> Object:
    """Return the revision that serves."""
    return revision(OLD, number, "orders/service:0.1.0", ago(days=6))


def new_revision(created: str) -> Object:
    """Return the revision that comes in."""
    image = f"registry.example/shop/orders/service:0.2.0@sha256:{'1a2b3c4d' * 8}"
    return revision(NEW, 3, image, created)


def on(revision_name: str, track: str = "stable") -> Object:
    """Return the labels that tell what a pod runs."""
    return {"orders.dev/revision": revision_name, "orders.dev/track": track}


def pod(
    name: str, node: str, created: str, *, labels: Object | None = None, **status: Any
) -> Object:
    """Return a pod that is ready; `status` replaces what it says."""
    migrated = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    found: Object = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "initContainerStatuses": [{"name": "migrate", "restartCount": 0, "state": migrated}],
        "containerStatuses": [
            {"name": "orders", "restartCount": 0, "state": {"running": {}}, "ready": True}
        ],
    }
    return {
        "metadata": {
            "name": f"orders-{name}",
            "labels": _LABELS | (labels or {}),
            "creationTimestamp": created,
        },
        "spec": {"nodeName": node},
        "status": found | status,
    }


def stable_pods(number: int = 3) -> tuple[Object, ...]:
    """Return the pods of the revision that serves."""
    names = ("x2x4z", "b7k9m", "q5n8r")[:number]
    nodes = ("orders-worker", "orders-worker2", "orders-worker")
    return tuple(
        pod(f"{OLD_PODS}-{name}", node, ago(days=6), labels=on(OLD))
        for name, node in zip(names, nodes, strict=False)
    )


def canary_pod(created: str, **status: Any) -> Object:
    """Return the pod of the canary."""
    labels = on(NEW, "canary")
    return pod(f"canary-{NEW_PODS}-abcde", "orders-worker2", created, labels=labels, **status)


def event(reason: str, message: str, at: str, *, bad: bool = False) -> Object:
    """Return an Event of the operator's, as core/v1 shows it."""
    return {
        "metadata": {"name": "orders.1", "creationTimestamp": at},
        "eventTime": at.replace("Z", ".000000Z"),
        "lastTimestamp": None,
        "reason": reason,
        "message": message,
        "type": "Warning" if bad else "Normal",
    }
