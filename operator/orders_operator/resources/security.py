"""The restricted Pod Security Standard, with a read-only root file system."""

from typing import Any, Final

from orders_operator.api.database import Resources

DISK: Final = "ephemeral-storage"
CONTAINER: Final[dict[str, Any]] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def pod(user: int) -> dict[str, Any]:
    """Return the security context of a pod whose processes run as one user and group."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        "fsGroup": user,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def resources(declared: Resources, disk: str) -> dict[str, Any]:
    """Return a container's resources, without empty parts.

    `disk` limits what the container may write to its node's disk if nothing is declared about
    that.
    """
    requests, limits = dict(declared.requests), dict(declared.limits)
    if DISK not in requests:
        limits.setdefault(DISK, disk)
    return {name: part for name, part in (("requests", requests), ("limits", limits)) if part}
