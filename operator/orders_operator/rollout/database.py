"""What the pod of an embedded database says: what keeps PostgreSQL from serving. Pure."""

import re
from collections.abc import Iterable
from typing import Any, Final

from msgspec.structs import replace

from orders_operator.api.conditions import Reason
from orders_operator.resources.postgres import CONTAINER, VOLUME_PERMISSIONS
from orders_operator.rollout.pods import Trouble, of_container

Object = dict[str, Any]

_DENIED: Final = re.compile(
    r"permission denied|operation not permitted|wrong ownership", re.IGNORECASE
)
_HELP: Final = (
    "PostgreSQL may not write to its volume. Take a StorageClass that honours fsGroup; or set"
    " database.embedded.volumePermissions, where the restricted Pod Security Standard is not"
    " enforced."
)


def database_trouble(pods: Iterable[Object]) -> Trouble | None:
    """Return what is wrong with the database's pod, and what helps where that is known."""
    for pod in pods:
        for status in _statuses(pod):
            for trouble in of_container(status, Reason.POD_CRASHING):
                said = f"The embedded database: {trouble.message}"
                if _DENIED.search(trouble.message) and not _gives_volume(pod):
                    said = f"{said}\n{_HELP}"
                return replace(trouble, message=said)
    return None


def _statuses(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    fields = ("initContainerStatuses", "containerStatuses")
    names = {VOLUME_PERMISSIONS, CONTAINER}  # a sidecar of a mesh is not ours
    return [it for field in fields for it in status.get(field) or () if it.get("name") in names]


def _gives_volume(pod: Object) -> bool:
    first = pod["spec"].get("initContainers") or ()
    return any(it.get("name") == VOLUME_PERMISSIONS for it in first)
