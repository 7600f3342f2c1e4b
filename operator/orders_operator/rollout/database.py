"""Finds what keeps an embedded PostgreSQL from serving, from its pod and its Events. Pure.

A StatefulSet has no condition that says why its pod is refused, but its Events do. Nor does it
replace a pod that was never ready (kubernetes/kubernetes#67250), even if its template has changed
since. Such a pod is recognised here; the operator removes it by scaling the StatefulSet to 0.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from orders_operator.api.conditions import Reason
from orders_operator.objects import Object
from orders_operator.resources.postgres import CONTAINER, VOLUME_PERMISSIONS
from orders_operator.rollout.pods import Failure, condition, of_container, ready, unplaced
from orders_operator.rollout.situation import moment

_DENIED: Final = re.compile(
    r"permission denied|operation not permitted|wrong ownership", re.IGNORECASE
)
_HELP: Final = (
    "PostgreSQL may not write to its volume. Use a StorageClass that honours fsGroup, or"
    " set database.embedded.volumePermissions where the restricted Pod Security Standard is"
    " not enforced."
)


_REVISION: Final = "controller-revision-hash"
_SAME_MOMENT: Final = timedelta(seconds=1)
"""A kubelet writes the first conditions and the start time at once; PostgreSQL is ready later."""
_PLACED: Final = timedelta(minutes=1)
"""How long a pod may wait for its volume or its node before that is reported."""
_LOST: Final = "Lost"
_LEFT: Final = (
    "The operator keeps its pod, which was made from an earlier template, as the orders may"
    " be lost with it. Save the orders, then delete the pod."
)
_CREATED: Final = "SuccessfulCreate"
_REFUSED: Final = "FailedCreate"


def pod_failure(pods: Iterable[Object], now: datetime) -> Failure | None:
    """Return what is wrong with the database's pod, with a remedy if one is known; else None."""
    for pod in pods:
        for failure in _of_containers(pod):
            said = _said(failure.message)
            if _DENIED.search(failure.message) and not _gives_volume(pod):
                said = f"{said}\n{_HELP}"
            return replace(failure, message=said)
        waits = unplaced(pod)
        since = None if waits is None else moment(waits.get("lastTransitionTime"))
        if waits is not None and since is not None and now - since >= _PLACED:
            return Failure(Reason.UNAVAILABLE, _said(str(waits.get("message") or "")))
    return None


def pod_refusal(events: Iterable[Object]) -> Failure | None:
    """Return why there is no pod, by the newest Event of the StatefulSet about one; else None."""
    told = [event for event in events if event.get("reason") == _REFUSED or _is_created(event)]
    newest = max(told, key=lambda event: (_at(event), event["reason"] == _REFUSED), default=None)
    if newest is None or newest["reason"] != _REFUSED:
        return None
    note = str(newest.get("note") or "")
    return Failure(Reason.PODS_REFUSED, _said(note.partition(" failed error: ")[2] or note))


def stuck(live: Object, pods: Iterable[Object]) -> bool:
    """Whether the StatefulSet waits for ever for a pod of an earlier template.

    Once it is scaled to 0 for that reason, this stays true until the pod is gone. A pod that ever
    was ready, or whose PostgreSQL runs and may be preparing its data, is left to the StatefulSet.
    """
    return any(_is_stuck(live, pod) for pod in pods)


def _is_stuck(live: Object, pod: Object) -> bool:
    status, metadata = live.get("status") or {}, live["metadata"]
    wanted = status.get("updateRevision")
    revision = (pod["metadata"].get("labels") or {}).get(_REVISION)
    if wanted is None or revision == wanted or not _never_ready(pod):
        return False
    if live["spec"].get("replicas") == 0:
        return True
    current = int(status.get("observedGeneration") or 0) >= int(metadata.get("generation") or 0)
    waits = unplaced(pod) is not None or next(_of_containers(pod), None) is not None
    left = _runs(pod) or pod["metadata"].get("deletionTimestamp")
    return current and waits and not left


def _runs(pod: Object) -> bool:
    """Whether PostgreSQL runs now, however often it has crashed: it may be preparing its data."""
    return any((status.get("state") or {}).get("running") is not None for status in _statuses(pod))


def _never_ready(pod: Object) -> bool:
    """Whether a pod has been unready since its start; in doubt, no."""
    readiness = condition(pod, "Ready")
    if not readiness:  # no kubelet has reported on it yet
        return True
    since = moment(readiness.get("lastTransitionTime"))
    began = moment((pod.get("status") or {}).get("startTime"))
    if ready(pod) or since is None or began is None:
        return False
    return since - began <= _SAME_MOMENT


def _of_containers(pod: Object) -> Iterator[Failure]:
    for status in _statuses(pod):
        yield from of_container(status, Reason.POD_CRASHING)


def claim_failure(name: str, claim: Object | None) -> Failure | None:
    """Return what is wrong with a claim, if it would not outlive the pod that uses it."""
    phase = ((claim or {}).get("status") or {}).get("phase")
    if claim is None or not (claim["metadata"].get("deletionTimestamp") or phase == _LOST):
        return None
    what = "has lost its volume" if phase == _LOST else "is being deleted"
    return Failure(Reason.UNAVAILABLE, _said(f"its claim {name} {what}. {_LEFT}"))


def _said(words: str) -> str:
    return f"The embedded database: {words}"


def _is_created(event: Object) -> bool:
    """Whether an Event says that the pod was created, rather than its claim."""
    return event.get("reason") == _CREATED and str(event.get("note")).startswith("create Pod ")


def _at(event: Object) -> str:
    """Return the second of an Event's last occurrence, whichever API wrote it."""
    series = (event.get("series") or {}).get("lastObservedTime")
    times = (series, event.get("deprecatedLastTimestamp"), event.get("eventTime"))
    return max(str(time or "")[:19] for time in times)


def _statuses(pod: Object) -> list[Object]:
    pod_status = pod.get("status") or {}
    fields = ("initContainerStatuses", "containerStatuses")
    names = {VOLUME_PERMISSIONS, CONTAINER}  # a sidecar of a mesh is not ours
    return [
        status
        for field in fields
        for status in pod_status.get(field) or ()
        if status.get("name") in names
    ]


def _gives_volume(pod: Object) -> bool:
    first = pod["spec"].get("initContainers") or ()
    return any(container.get("name") == VOLUME_PERMISSIONS for container in first)
