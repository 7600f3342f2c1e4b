"""A rollout that stands still: an OrderService that the operator leaves alone, told what to say.

Its pods and revisions are real ones; only its status is written here.
"""

from typing import Final

from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import IMAGE, Namespace, order_service

NAME: Final = "staged"
OLD: Final = "5f8a9c0d1e"
NEW: Final = "7c9f1b2a3d"
FAILED: Final = {
    "phase": "RolledBack",
    "revision": NEW,
    "stable": OLD,
    "failed": {
        "revision": NEW,
        "reason": "AnalysisFailed",
        "message": "62 of 1204 requests to the canary were answered 5xx (5.15 %).",
        "at": "2026-03-04T12:00:00Z",
    },
}
STABLE: Final = {"phase": "Stable", "revision": OLD, "stable": OLD}
CANARY: Final = {
    "phase": "Canary",
    "revision": NEW,
    "stable": OLD,
    "canary": NEW,
    "step": 1,
    "steps": 3,
    "weight": 50,
}


def build(namespace: Namespace) -> None:
    """Make the OrderService and pods of two revisions, each of which ends at once."""
    namespace.apply(order_service(NAME, paused=True, rollout={"strategy": "Canary"}))
    namespace.wait(f"orderservice/{NAME}", "condition=Paused", 30)
    owner = namespace.get("orderservice", NAME)
    namespace.apply(
        _revision(owner, OLD, 1),
        _revision(owner, NEW, 2),
        pod("6d4cf56db6-x2x4z", OLD, "stable", "openapi"),
        pod("canary-78b9c4d5f8-abcde", NEW, "canary", "nonsense"),
    )
    namespace.until(
        lambda: all(
            it["restartCount"]
            for pod in namespace.pods(NAME)
            for it in pod["status"].get("containerStatuses") or [{"restartCount": 0}]
        ),
        60,
        "both pods have ended and were started again",
    )


def stage(namespace: Namespace, rollout: Object, claim: Object | None = None) -> None:
    """Have the status say where the rollout is, and no annotation say anything.

    Args:
        namespace: where it stands.
        rollout: `status.rollout`.
        claim: `status.retainedClaim`.

    """
    only = dict.fromkeys({*CANARY, *FAILED}) | rollout
    status = {"rollout": only, "retainedClaim": claim}
    namespace.patch("orderservice", NAME, {"status": status}, "--subresource=status")
    names = [f"orders.dev/{it}" for it in ("promote", "abort", "pause", "retry", "restart")]
    namespace.patch("orderservice", NAME, {"metadata": {"annotations": dict.fromkeys(names)}})


def annotations(namespace: Namespace) -> dict[str, str]:
    """Return what was told to the operator."""
    found = namespace.get("orderservice", NAME)["metadata"].get("annotations") or {}
    return {name: it for name, it in found.items() if name.startswith("orders.dev/")}


def pod(name: str, revision: str, track: str, *command: str) -> Object:
    """Return a pod of the OrderService `staged` that runs a command of the service's."""
    labels = {
        "app.kubernetes.io/instance": "staged",
        "app.kubernetes.io/component": "api",
        "orders.dev/revision": revision,
        "orders.dev/track": track,
    }
    container = {"name": "orders", "image": IMAGE, "args": [*command]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"staged-{name}", "labels": labels},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }


def _revision(owner: Object, name: str, number: int) -> Object:
    """Return a ControllerRevision of an OrderService."""
    metadata = owner["metadata"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"{metadata['name']}-{name}",
            "labels": {
                "app.kubernetes.io/instance": metadata["name"],
                "app.kubernetes.io/managed-by": "orders-operator",
                "orders.dev/revision": name,
            },
            "ownerReferences": [
                {
                    "apiVersion": owner["apiVersion"],
                    "kind": owner["kind"],
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                    "controller": True,
                }
            ],
        },
        "revision": number,
        "data": {
            "spec": {"template": {"spec": {"containers": [{"name": "orders", "image": IMAGE}]}}}
        },
    }
