"""The restricted Pod Security Standard, and a root file system that cannot be written."""

from typing import Any, Final

from orders_operator.api.database import Resources

CONTAINER: Final[dict[str, Any]] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def pod(user: int) -> dict[str, Any]:
    """Return the security context of a pod whose processes are of one user and group."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        "fsGroup": user,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def resources(declared: Resources) -> dict[str, Any]:
    """Return a container's resources without what is empty."""
    parts = {"requests": dict(declared.requests), "limits": dict(declared.limits)}
    return {name: part for name, part in parts.items() if part}
