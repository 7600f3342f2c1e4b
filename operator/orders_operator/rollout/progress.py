"""The progress of a Deployment. Pure.

A Deployment reports it in numbers and in one condition, Progressing, whose reason stays
`NewReplicaSetAvailable` once a rollout is complete. This distinguishes a scale-up, during which
requests are served as before, from the rollout of a new revision.
"""

from typing import Final

from msgspec import Struct

from orders_operator.objects import Object

_COMPLETE: Final = "NewReplicaSetAvailable"
_LATE: Final = "ProgressDeadlineExceeded"
_NO_REPLICA_SET: Final = "ReplicaSetCreateError"


class Progress(Struct, frozen=True):
    """A Deployment's progress; the counts are pods.

    `refused` is the API server's message about pods, or their ReplicaSet, that it does not admit.
    """

    current: bool
    wanted: int
    updated: int
    total: int
    available: int
    ready: int
    complete: bool
    late: bool
    refused: str | None = None

    @property
    def serving(self) -> bool:
        """Whether the newest revision serves alone, or is scaled to 0."""
        return self.current and self.complete and (self.available > 0 or self.wanted == 0)


def progress(deployment: Object) -> Progress:
    """Read the progress from a Deployment."""
    spec, status = deployment["spec"], deployment.get("status") or {}
    metadata = deployment["metadata"]
    conditions = {condition["type"]: condition for condition in status.get("conditions") or []}
    state = conditions.get("Progressing") or {}
    failure = conditions.get("ReplicaFailure") or {}
    wanted = int(spec.get("replicas", 1))
    updated, total, available, ready = (
        int(status.get(name) or 0)
        for name in ("updatedReplicas", "replicas", "availableReplicas", "readyReplicas")
    )
    current = int(status.get("observedGeneration") or 0) >= int(metadata.get("generation") or 0)
    alone = total == updated
    reached = updated >= wanted and available >= wanted
    return Progress(
        current=current,
        wanted=wanted,
        updated=updated,
        total=total,
        available=available,
        ready=ready,
        complete=alone and (reached or state.get("reason") == _COMPLETE),
        late=current and state.get("reason") == _LATE,
        refused=_refused(state, failure),
    )


def _refused(progressing: Object, failure: Object) -> str | None:
    if failure.get("status") == "True":
        return str(failure.get("message") or "")
    if progressing.get("reason") == _NO_REPLICA_SET:
        return str(progressing.get("message") or "")
    return None
