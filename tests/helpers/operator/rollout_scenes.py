"""Moments in the life of an OrderService, each of which is a screen."""

from collections.abc import Callable, Sequence
from typing import Final

from orders_operator.objects import Object
from orders_operator.plugin.snapshot import ServiceSnapshot
from tests.helpers.operator.cluster_objects import (
    NEW,
    NEW_PODS,
    OLD,
    OLD_PODS,
    UNREADY,
    ago,
    canary_pod,
    condition,
    event,
    new_revision,
    old_revision,
    on,
    pod,
    revision,
    service,
    stable_pods,
)

Scene = Callable[[], ServiceSnapshot]

_FINE: Final = condition(
    "Degraded", "False", "AsExpected", "Nothing is wrong that will not pass.", ago(days=6)
)
_READY: Final = condition("Ready", "True", "Available", "3 of 3 pods serve.", ago(days=6))
_CANARY: Final[Object] = {
    "phase": "Canary",
    "revision": NEW,
    "stable": OLD,
    "canary": NEW,
    "step": 1,
    "steps": 3,
    "weight": 25,
    "startedAt": ago(seconds=95),
    "stepAt": ago(seconds=95),
    "settledAt": ago(seconds=42),
}
_PASSED: Final = (
    "1,204 requests, 0 % of them answered 5xx, p99 14.2 ms; stable pods: 3,610 requests,"
    " 0.0277 %, p99 12.1 ms."
)
_FEW: Final = "The window has 12 of the 100 requests that it needs; waiting for more."
_ERRORS: Final = (
    "62 of 1,204 requests to the canary were answered 5xx (5.15 %, limit 1 %); stable pods:"
    " 1 of 3,610 (0.0277 %)."
)
_CRASH: Final = "psqlpy.ConnectionError: TLS is required"


def measured(pods: int, requests: int, errors: int, p99: float | None) -> Object:
    """Return what pods answered."""
    ratio = errors / requests if requests else 0.0
    found = {"pods": pods, "requests": requests, "errors": errors, "errorRatio": ratio}
    return found if p99 is None else found | {"p99Milliseconds": p99}


def analysis(verdict: str, message: str, canary: Object, stable: Object, **counts: int) -> Object:
    """Return a window of 30 s that ended 12 s ago."""
    return {
        "verdict": verdict,
        "message": message,
        "at": ago(seconds=12),
        "windowSeconds": 30.0,
        "canary": canary,
        "stable": stable,
        **counts,
    }


def _look(
    resource: Object,
    pods: Sequence[Object],
    revisions: Sequence[Object] = (),
    events: Sequence[Object] = (),
) -> ServiceSnapshot:
    serving = [it for it in pods if it["status"]["conditions"][0]["status"] == "True"]
    resource["status"] |= {"replicas": len(pods), "readyReplicas": len(serving)}
    return ServiceSnapshot(resource, tuple(pods), tuple(revisions), tuple(events))


def stable() -> ServiceSnapshot:
    """All is well, and some revisions are kept from before."""
    before = [
        revision(f"{number}b2c3d4e5f", number, f"orders/service:0.0.{number}", ago(days=30))
        for number in range(1, 6)
    ]
    return _look(
        service({"phase": "Stable", "revision": OLD, "stable": OLD}, _READY, _FINE),
        stable_pods(),
        [old_revision(6), *before],
        [event("Available", "3 of 3 pods serve.", ago(days=6))],
    )


def retained() -> ServiceSnapshot:
    """The spec has left its embedded database, whose claim has the orders until a person acts."""
    claim = "data-orders-postgresql-0"
    found = stable()
    found.resource["status"]["retainedClaim"] = {
        "name": claim,
        "deleteWith": f"kubectl delete pvc --namespace shop {claim}",
    }
    return found


def first_step() -> ServiceSnapshot:
    """The canary serves its first requests, and they are answered well."""
    window = analysis(
        "Passed", _PASSED, measured(1, 1204, 0, 14.2), measured(3, 3610, 1, 12.1), passes=1
    )
    rollout = _CANARY | {"analysis": window, "message": f"Step 1 of 3: {_PASSED}"}
    progressing = condition("Progressing", "True", "Canary", rollout["message"], ago(seconds=95))
    return _look(
        service(rollout, _FINE, progressing),
        [*stable_pods(), canary_pod(ago(seconds=95))],
        [old_revision(), new_revision(ago(seconds=95))],
        [
            event("Available", "3 of 3 pods serve.", ago(days=6)),
            event("Canary", "Step 1 of 3: 0 of 1 canary pods serve.", ago(seconds=95)),
        ],
    )


def inconclusive() -> ServiceSnapshot:
    """Nobody calls at night: the canary holds where it is, past the step's time."""
    window = analysis("Inconclusive", _FEW, measured(1, 12, 0, 9.7), measured(3, 40, 0, 9.5))
    rollout = _CANARY | {
        "analysis": window,
        "message": f"Step 1 of 3: {_FEW}",
        "startedAt": ago(minutes=37),
        "stepAt": ago(minutes=37),
        "settledAt": ago(minutes=36),
    }
    return _look(
        service(rollout, _FINE),
        [*stable_pods(), canary_pod(ago(minutes=37))],
        [old_revision(), new_revision(ago(minutes=37))],
        [event("Inconclusive", f"Step 1 of 3: {_FEW}", ago(minutes=35))],
    )


def _failed(rollout: Object, *pods: Object) -> ServiceSnapshot:
    window = analysis(
        "Failed", _ERRORS, measured(1, 1204, 62, 48.3), measured(3, 3610, 1, 12.1), failures=2
    )
    message = rollout["message"]
    failed = {
        "revision": NEW,
        "reason": "AnalysisFailed",
        "message": _ERRORS,
        "at": ago(seconds=12),
    }
    degraded = condition("Degraded", "True", "AnalysisFailed", message, ago(seconds=12))
    stalled = condition("Stalled", "True", rollout["phase"], message, ago(seconds=12))
    return _look(
        service(
            rollout | {"revision": NEW, "stable": OLD, "analysis": window, "failed": failed},
            degraded,
            stalled,
        ),
        [*stable_pods(), *pods],
        [old_revision(), new_revision(ago(minutes=4))],
        [
            event("Canary", "Step 2 of 3: 1 of 2 canary pods serve.", ago(minutes=2)),
            event("AnalysisFailed", message, ago(seconds=12), bad=True),
        ],
    )


def rolled_back() -> ServiceSnapshot:
    """The canary answered too many requests with 5xx, and is gone."""
    return _failed(
        {"phase": "RolledBack", "message": f"{NEW} failed; {OLD} is serving. {_ERRORS}"}
    )


def halted() -> ServiceSnapshot:
    """The same with `rollback: Manual`: the canary stays where it is, for a person to decide."""
    rollout = _CANARY | {"phase": "Halted", "step": 2, "weight": 40, "message": _ERRORS}
    return _failed(rollout, canary_pod(ago(minutes=4)))


def paused() -> ServiceSnapshot:
    """A person has told the rollout to stay at its second step; its pods are not there yet."""
    rollout = _CANARY | {
        "phase": "Paused",
        "step": 2,
        "settledAt": None,
        "message": "Step 2 of 3: 1 of 2 canary pods serve.",
    }
    migrating = {"name": "migrate", "restartCount": 0, "state": {"running": {}}}
    waiting = {
        "name": "orders",
        "restartCount": 0,
        "state": {"waiting": {"reason": "PodInitializing"}},
    }
    second = pod(
        f"canary-{NEW_PODS}-hj3k5",
        "orders-worker",
        ago(seconds=4),
        labels=on(NEW, "canary"),
        phase="Pending",
        initContainerStatuses=[migrating],
        containerStatuses=[waiting],
        **UNREADY,
    )
    return _look(
        service(rollout, _FINE),
        [*stable_pods(), canary_pod(ago(seconds=95)), second],
        [old_revision(), new_revision(ago(seconds=95))],
    )


def rolling() -> ServiceSnapshot:
    """A rolling update replaces pod after pod; one goes while another comes."""
    rollout: Object = {
        "phase": "Progressing",
        "revision": NEW,
        "stable": OLD,
        "startedAt": ago(seconds=20),
        "message": "2 of 3 pods are new.",
    }
    leaving, staying, _ = stable_pods()
    leaving["metadata"]["deletionTimestamp"] = ago(seconds=1)
    first = pod(f"{NEW_PODS}-abcde", "orders-worker", ago(seconds=20), labels=on(NEW))
    second = pod(f"{NEW_PODS}-fghij", "orders-worker2", ago(seconds=9), labels=on(NEW), **UNREADY)
    return _look(
        service(rollout, _FINE, rollout={"strategy": "RollingUpdate"}),
        [leaving, staying, first, second],
        [old_revision(), new_revision(ago(seconds=20))],
        [event("RollingOut", "1 of 3 pods are new, 3 serve.", ago(seconds=20))],
    )


def baking() -> ServiceSnapshot:
    """All pods are new, and still judged: there is nobody left to be compared with."""
    window = analysis(
        "Passed", _PASSED, measured(3, 4810, 2, 13.9), measured(0, 0, 0, None), passes=1
    )
    rollout: Object = {
        "phase": "Baking",
        "revision": NEW,
        "stable": OLD,
        "startedAt": ago(minutes=9),
        "settledAt": ago(seconds=42),
        "analysis": window | {"stage": "bake"},
        "message": f"All pods are new. They are judged for 60s. {_PASSED}",
    }
    pods = [
        pod(f"{NEW_PODS}-{mark}", "orders-worker", ago(seconds=60), labels=on(NEW))
        for mark in ("abcde", "fghij", "klmno")
    ]
    return _look(
        service(rollout, _READY, _FINE), pods, [old_revision(), new_revision(ago(minutes=9))]
    )


def crashing() -> ServiceSnapshot:
    """The canary's pod ends again and again, and no request has reached it yet."""
    status = {
        "name": "orders",
        "restartCount": 4,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": _CRASH}},
    }
    rollout = _CANARY | {
        "weight": 0,
        "settledAt": None,
        "message": "Step 1 of 3: 0 of 1 canary pods serve.",
    }
    degraded = condition("Degraded", "True", "PodCrashing", _CRASH, ago(seconds=20))
    return _look(
        service(rollout, degraded),
        [*stable_pods(), canary_pod(ago(seconds=95), containerStatuses=[status], **UNREADY)],
        [old_revision(), new_revision(ago(seconds=95))],
        [event("PodCrashing", _CRASH, ago(seconds=20), bad=True)],
    )


def unlabelled() -> ServiceSnapshot:
    """An operator that knows nothing of rollouts made it, and somebody has paused it."""
    waiting = condition("Ready", "False", "RollingOut", "0 of 1 pods serve.", ago(minutes=1))
    found = service(None, waiting, paused=True)
    del found["status"]["version"]
    return _look(found, [pod(f"{OLD_PODS}-x2x4z", "orders-worker", ago(minutes=1), **UNREADY)])


SCENES: Final[tuple[Scene, ...]] = (
    stable, retained, first_step, inconclusive, rolled_back, halted, paused, rolling, baking,
    crashing, unlabelled,
)  # fmt: skip
