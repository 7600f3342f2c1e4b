"""A pod's state in a form for people. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from orders_operator.objects import Object
from orders_operator.resources.labels import REVISION, TRACK
from orders_operator.rollout.pods import ready
from orders_operator.rollout.situation import moment

_EPOCH: Final = datetime.fromtimestamp(0, UTC)


class Pod(Struct, frozen=True, rename="camel"):
    """A pod; `state` is `ready`, or what it waits for, in kubectl's words."""

    name: str
    revision: str | None
    track: str | None
    ready: bool
    state: str
    restarts: int
    node: str | None
    created_at: datetime


def pod_of(pod: Object) -> Pod:
    """Return the view of a pod."""
    metadata = pod["metadata"]
    labels = metadata.get("labels") or {}
    state = _state(pod)
    return Pod(
        name=metadata["name"],
        revision=labels.get(REVISION),
        track=labels.get(TRACK),
        ready=state == "ready",
        state=state,
        restarts=sum(int(container.get("restartCount") or 0) for _, container in _containers(pod)),
        node=pod["spec"].get("nodeName"),
        created_at=moment(metadata.get("creationTimestamp")) or _EPOCH,
    )


def _state(pod: Object) -> str:
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    if ready(pod):
        return "ready"
    status = pod.get("status") or {}
    phase = str(status.get("phase") or "-")
    waits = next(filter(None, (_waits(*container) for container in _containers(pod))), None)
    # A reason of the pod's own is Evicted, NodeLost or the like: it has ended.
    return str(status.get("reason") or waits or ("not ready" if phase == "Running" else phase))


def _waits(prefix: str, container: Object) -> str | None:
    """Return what keeps a container from running, or what its pod waits for."""
    state = container.get("state") or {}
    ended, waiting = state.get("terminated"), state.get("waiting") or {}
    if ended is not None and not (prefix and ended.get("exitCode") == 0):
        return prefix + str(ended.get("reason") or f"exit {ended.get('exitCode')}")
    if waiting.get("reason") not in {None, "PodInitializing"}:
        return prefix + str(waiting["reason"])
    return f"{prefix}{container['name']}" if prefix and "running" in state else None


def _containers(pod: Object) -> Iterator[tuple[str, Object]]:
    """Yield the statuses of containers in the order in which they run."""
    pod_status = pod.get("status") or {}
    for status in pod_status.get("initContainerStatuses") or ():
        yield "Init:", status
    for status in pod_status.get("containerStatuses") or ():
        yield "", status
