"""Reads pods: what is wrong with them, what image they run, what they migrated. Pure.

Only pods of the revision that their Deployment has count: those of the one before go on serving
while a rollout fails, and their state says nothing about it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import DecodeError, Struct, ValidationError, json

from orders_operator.api.conditions import Reason
from orders_operator.objects import Object
from orders_operator.resources.labels import REVISION, TRACK
from orders_operator.resources.pod import SERVICE

MESSAGE_BYTES: Final = 1024
MIGRATE: Final = "migrate"
_ENDED: Final = frozenset({"Failed", "Succeeded"})
_PULL: Final = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "ErrImageNeverPullPolicy",
        "SignatureValidationFailed",
    }
)
_NEVER_PULLED: Final = "InvalidImageName"
"""The only one of these that time cannot repair: registries come back, and images are pushed."""
_START: Final = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)
_ABSENT: Final = re.compile(r"(secret|configmap) .*not found|couldn't find key", re.IGNORECASE)
"""What a kubelet says of a Secret that is missing, or being made again."""
_WEIGHTS: Final = (Reason.MIGRATION_FAILED, Reason.IMAGE_PULL_FAILED, Reason.POD_CRASHING)
_MAY_PASS: Final = 75  # of `orders migrate`, after sysexits.h
_KILLED: Final = frozenset({137, 255})  # out of memory, or with its node
_CRASHES: Final = 2  # one restart happens; two are a pattern


class Failure(Struct, frozen=True):
    """Why something is not as declared: the reason and message of a condition.

    For a pod the reason is MigrationFailed, ImagePullFailed or PodCrashing. A rollout waits until
    its deadline if the failure `may_pass`: the database is away, a table is locked, a Secret is
    missing, a registry does not answer.
    """

    reason: Reason
    message: str
    may_pass: bool = False


class Migration(Struct, frozen=True):
    """The report of `orders migrate --report`: the release and the schema's version."""

    version: str
    schema: int


def of_revision(pods: Iterable[Object], track: str, revision: str | None) -> list[Object]:
    """Return the pods of a track and revision that are neither terminating nor at their end.

    A pod that was evicted, or whose node was shut down, stays as Failed; others took its place.
    """
    return [
        pod
        for pod in pods
        if revision is not None
        and _labels(pod).get(TRACK) == track
        and _labels(pod).get(REVISION) == revision
        and not pod["metadata"].get("deletionTimestamp")
        and not ended(pod)
    ]


def revisions_of(pods: Iterable[Object]) -> frozenset[str]:
    """Return the hashes of the revisions that pods have."""
    return frozenset(_labels(pod)[REVISION] for pod in pods if REVISION in _labels(pod))


def ended(pod: Object) -> bool:
    """Whether a pod has ended: it runs nothing, and never will again."""
    return (pod.get("status") or {}).get("phase") in _ENDED


def failure(pods: Iterable[Object]) -> Failure | None:
    """Return the most serious failure: first one that cannot pass, then a failed migration."""
    failures = [failure for pod in pods for failure in _of_pod(pod)]
    return min(
        failures,
        key=lambda failure: (failure.may_pass, _WEIGHTS.index(failure.reason)),
        default=None,
    )


def condition(pod: Object, kind: str) -> Object:
    """Return a condition of a pod; empty if it has none of this type."""
    conditions: list[Object] = (pod.get("status") or {}).get("conditions") or []
    return next((condition for condition in conditions if condition.get("type") == kind), {})


def ready(pod: Object) -> bool:
    """Whether a pod takes requests."""
    return condition(pod, "Ready").get("status") == "True"


def unplaced(pod: Object) -> Object | None:
    """Return the scheduler's condition if it has found no node for a pod, else None."""
    scheduled = condition(pod, "PodScheduled")
    return scheduled if scheduled.get("status") == "False" else None


def migration(pods: Iterable[Object]) -> Migration | None:
    """Return the report of the newest pod that has migrated; None without one."""
    for pod in sorted(pods, key=created, reverse=True):
        for status in statuses(pod, "initContainerStatuses"):
            ended = (status.get("state") or {}).get("terminated")
            if status.get("name") != MIGRATE or ended is None or ended.get("exitCode") != 0:
                continue
            try:
                return json.decode(ended.get("message") or "", type=Migration)
            except (DecodeError, ValidationError):
                continue
    return None


def image(pods: Iterable[Object], wanted: str) -> str | None:
    """Return the image that the newest ready pod runs, with its digest if that is known."""
    for pod in sorted(pods, key=created, reverse=True):
        if not ready(pod):
            continue
        for status in statuses(pod, "containerStatuses"):
            if status.get("name") == SERVICE and status.get("imageID"):
                return pinned(declared_image(pod) or wanted, str(status["imageID"]))
    return None


def declared_image(pod: Object) -> str | None:
    """Return the image that a pod names; after a rollback it is not the spec's."""
    containers = (pod.get("spec") or {}).get("containers") or []
    return next(
        (container.get("image") for container in containers if container.get("name") == SERVICE),
        None,
    )


def pinned(wanted: str, image_id: str) -> str:
    """Return the wanted image with the digest of what runs.

    A runtime gives `registry/name@sha256:...`, or the bare digest of an image that was loaded and
    never pulled.
    """
    _, at, digest = image_id.rpartition("@")
    if not at:
        digest = image_id.rpartition("://")[2]
    if not digest.startswith("sha256:"):
        return wanted
    return f"{wanted.partition('@')[0]}@{digest}"


def tag(image_name: str) -> str:
    """Return the tag of an image; empty for one that is named by digest alone."""
    name = image_name.partition("@")[0]
    last = name.rpartition("/")[2]
    return last.partition(":")[2]


def tail(text: str, limit: int = MESSAGE_BYTES) -> str:
    """Return the last whole lines of a text, at most `limit` bytes."""
    encoded = text.strip().encode()
    if len(encoded) <= limit:
        return encoded.decode()
    cut = encoded[-limit:].decode(errors="ignore")
    first, newline, rest = cut.partition("\n")
    return rest if newline and rest else first


def statuses(pod: Object, kind: str) -> list[Object]:
    """Return the statuses of containers in one field of a pod's status."""
    listed: list[Object] = (pod.get("status") or {}).get(kind) or []
    return listed


def created(pod: Object) -> str:
    """Return when a pod was created, as text that sorts by time."""
    return str(pod["metadata"].get("creationTimestamp") or "")


def ending(ended: Object) -> str:
    """Return how a container ended: its termination message, else its exit status."""
    said = str(ended.get("message") or "").strip()
    how = f"exit status {ended.get('exitCode')}"
    if ended.get("reason") not in {None, "Error"}:
        how = f"{ended['reason']}, {how}"
    return tail(said) if said else how


def _of_pod(pod: Object) -> Iterable[Failure]:
    for status in statuses(pod, "initContainerStatuses"):
        if status.get("name") == MIGRATE:
            yield from of_container(status, Reason.MIGRATION_FAILED)
    for status in statuses(pod, "containerStatuses"):
        if status.get("name") == SERVICE:
            yield from of_container(status, Reason.POD_CRASHING)


def of_container(status: Object, failed: Reason) -> Iterator[Failure]:
    """Yield the failures in a container's status; `failed` is the reason if it ended badly."""
    waiting = (status.get("state") or {}).get("waiting") or {}
    why = waiting.get("reason") or ""
    said = str(waiting.get("message") or "")
    if why in _PULL:
        text = tail(f"{why}: {said}" if said else why)
        yield Failure(Reason.IMAGE_PULL_FAILED, text, may_pass=why != _NEVER_PULLED)
        return
    if why in _START:
        text = tail(f"{why}: {said}" if said else why)
        yield Failure(failed, text, may_pass=_ABSENT.search(said) is not None)
        return
    ended = (status.get("state") or {}).get("terminated") or {}
    before = (status.get("lastState") or {}).get("terminated") or {}
    restarts = int(status.get("restartCount") or 0)
    last = ended if ended.get("exitCode") else before if before.get("exitCode") else None
    if last is None:
        return
    running = (status.get("state") or {}).get("running") is not None
    if failed is Reason.MIGRATION_FAILED:
        if not _succeeded(status):
            may_pass = last.get("exitCode") == _MAY_PASS or (
                last.get("exitCode") in _KILLED and restarts < _CRASHES
            )
            yield Failure(failed, ending(last), may_pass)
    elif why == "CrashLoopBackOff" or (
        restarts >= _CRASHES and not (running and status.get("ready"))
    ):
        yield Failure(failed, ending(last))


def _succeeded(status: Object) -> bool:
    ended = (status.get("state") or {}).get("terminated")
    return ended is not None and ended.get("exitCode") == 0


def _labels(pod: Object) -> dict[str, str]:
    return pod["metadata"].get("labels") or {}
