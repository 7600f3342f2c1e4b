"""What a GitOps tool may find of an OrderService, and what each is to make of it.

The status is what the operator's own code says of an observation; only that of an older operator
is written here.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from orders_operator.api.conditions import Reason
from orders_operator.api.crd import definition
from orders_operator.api.status import FailedRevision, RolloutStatus
from orders_operator.objects import Object
from orders_operator.reconcile.observed import Observed
from orders_operator.reconcile.summary import summarise
from orders_operator.rollout.pods import Failure
from tests.helpers.operator.observations import NOW, deployment, pod, seen


class Situation(Struct, frozen=True):
    """An OrderService, and what is to be said of it.

    Args:
        resource: as the API server has it.
        kstatus: what Flux and Helm take it for.
        argo: its health in Argo CD.
        says: a part of the message that both show.

    """

    resource: Object
    kstatus: str
    argo: str
    says: str = ""


def resource(status: Object | None, generation: int = 1, **metadata: Any) -> Object:
    """Return an OrderService with this status; None for the one that a new resource has."""
    [version] = definition()["spec"]["versions"]
    unseen = version["schema"]["openAPIV3Schema"]["properties"]["status"]["default"]
    return {
        "apiVersion": "orders.dev/v1alpha1",
        "kind": "OrderService",
        "metadata": {"name": "shop", "namespace": "ns", "generation": generation, **metadata},
        "spec": {},
        "status": dict(unseen) if status is None else status,
    }


def status(**fields: Any) -> Object:
    """Return what the operator says of an observation that is well but for the given fields."""
    return summarise(seen(**fields), {}, NOW)


_READY: Final = status()
_NEW: Final = {"revision": "c", "stable": "b"}
_FAILED: Final = FailedRevision("c", "AnalysisFailed", "5 % failed.", "2026-01-02T03:04:05Z")
_STEP: Final = {**_NEW, "canary": "c", "step": 1, "steps": 2, "message": "Step 1 of 2."}
_WAITING: Final = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}


def _failure(reason: Reason, **fields: Any) -> Object:
    return status(failures=(Failure(reason, "It is so."),), **fields)


def _rollout(phase: Any, **fields: Any) -> RolloutStatus:
    return RolloutStatus(phase=phase, **fields)


def _gave_up(phase: Any, **fields: Any) -> Object:
    found = _rollout(phase, **_NEW, failed=_FAILED, message="c failed; b is serving.")
    return status(rollout=found, **fields)


def _older() -> Mapping[str, Object]:
    """Return statuses without the two conditions: ready, degraded, and on the way.

    To an older operator Ready meant that all is done.
    """
    on_the_way = status(deployment=deployment(updated=1, total=3, reason="ReplicaSetUpdated"))
    found = {"ready": _READY, "ill": _failure(Reason.APPLY_FAILED), "on the way": on_the_way}
    return {
        name: it | {"conditions": list(_before(it["conditions"], done=it is _READY))}
        for name, it in found.items()
    }


def _before(conditions: list[Object], *, done: bool) -> Iterator[Object]:
    for it in conditions:
        if it["type"] == "Ready":
            yield it | {"status": "True" if done else "False"}
        elif it["type"] not in {"Reconciling", "Stalled"}:
            yield it


_OLDER: Final = _older()

SITUATIONS: Final[Mapping[str, Situation]] = {
    "nobody has looked": Situation(resource(None), "InProgress", "Progressing"),
    "all is done": Situation(resource(_READY), "Current", "Healthy"),
    "scaled to none": Situation(
        resource(status(deployment=deployment(0, 0, 0, 0), pods=())), "Current", "Healthy"
    ),
    "without the kind of ServiceMonitors": Situation(
        resource(status(absent=("monitoring.coreos.com/v1",))), "Current", "Healthy"
    ),
    "changed since": Situation(resource(_READY, generation=2), "InProgress", "Progressing"),
    "being deleted": Situation(
        resource(_READY, deletionTimestamp="2026-01-02T03:04:05Z"), "Terminating", "Healthy"
    ),
    "a rolling update": Situation(
        resource(
            status(
                deployment=deployment(updated=1, total=3, reason="ReplicaSetUpdated"),
                rollout=_rollout("Progressing", **_NEW),
            )
        ),
        "InProgress",
        "Progressing",
        "1 of 2 pods are new",
    ),
    "a canary": Situation(
        resource(status(rollout=_rollout("Canary", **_STEP))),
        "InProgress",
        "Progressing",
        "Step 1 of 2.",
    ),
    "a canary that a person holds": Situation(
        resource(status(rollout=_rollout("Paused", **_STEP))),
        "InProgress",
        "Suspended",
        "Step 1 of 2.",
    ),
    "promoting": Situation(
        resource(status(rollout=_rollout("Promoting", **_NEW, message="1 of 2 pods are new."))),
        "InProgress",
        "Progressing",
    ),
    "none of its pods serves": Situation(
        resource(status(deployment=deployment(available=0))),
        "InProgress",
        "Progressing",
        "None of 2 pods serve.",
    ),
    "rolled back": Situation(
        resource(_gave_up("RolledBack")), "Failed", "Degraded", "c failed; b is serving."
    ),
    "on the way back": Situation(
        resource(
            _gave_up(
                "RolledBack",
                deployment=deployment(updated=1, total=3, reason="ReplicaSetUpdated"),
            )
        ),
        "Failed",
        "Degraded",
    ),
    "rolled back, and an object is refused": Situation(
        resource(
            _gave_up("RolledBack", failures=(Failure(Reason.APPLY_FAILED, "quota"),)),
        ),
        "Failed",
        "Degraded",
        "c failed; b is serving.",
    ),
    "rolled back, and the next one waits for its Secret": Situation(
        resource(
            _gave_up(
                "RolledBack",
                failures=(Failure(Reason.SECRET_MISSING, "Secret x is missing"),),
                begun=False,
            ),
        ),
        "InProgress",
        "Progressing",
        "Secret x is missing",
    ),
    "halted": Situation(resource(_gave_up("Halted")), "Failed", "Degraded"),
    "a spec that is invalid": Situation(
        resource(summarise(Observed(generation=1, invalid="spec.image is empty"), _READY, NOW)),
        "Failed",
        "Degraded",
        "spec.image is empty",
    ),
    "an object of somebody else's": Situation(
        resource(_failure(Reason.NAME_CONFLICT)), "Failed", "Degraded", "It is so."
    ),
    "a Secret is missing": Situation(
        resource(_failure(Reason.SECRET_MISSING)), "InProgress", "Progressing", "It is so."
    ),
    "an object is refused": Situation(
        resource(_failure(Reason.APPLY_FAILED)), "InProgress", "Progressing", "It is so."
    ),
    "the Gateway API is missing": Situation(
        resource(status(absent=("gateway.networking.k8s.io/v1",))), "InProgress", "Progressing"
    ),
    "the first image cannot be pulled": Situation(
        resource(
            status(
                deployment=deployment(available=0, reason="ReplicaSetUpdated"),
                pods=(pod(orders=_WAITING, ready=False),),
            )
        ),
        "InProgress",
        "Progressing",
        "no such image",
    ),
    "the first pods are late": Situation(
        resource(status(deployment=deployment(available=0, reason="ProgressDeadlineExceeded"))),
        "InProgress",
        "Progressing",
    ),
    "paused": Situation(
        resource(summarise(Observed(generation=2, paused=True), _READY, NOW), generation=2),
        "InProgress",
        "Suspended",
        "spec.paused is true.",
    ),
    "paused from the start": Situation(
        resource(summarise(Observed(generation=1, paused=True), {}, NOW)),
        "InProgress",
        "Suspended",
    ),
    "paused, after it was given up": Situation(
        resource(summarise(Observed(generation=1, paused=True), _gave_up("RolledBack"), NOW)),
        "InProgress",
        "Suspended",
    ),
    "paused, and invalid": Situation(
        resource(summarise(Observed(generation=1, paused=True, invalid="no image"), {}, NOW)),
        "Failed",
        "Degraded",
        "no image",
    ),
    "of an older operator, ready": Situation(resource(_OLDER["ready"]), "Current", "Healthy"),
    "of an older operator, ill": Situation(resource(_OLDER["ill"]), "InProgress", "Degraded"),
    "of an older operator, on the way": Situation(
        resource(_OLDER["on the way"]), "InProgress", "Progressing"
    ),
}
