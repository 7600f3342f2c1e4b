"""The kinds that are watched, and what is kept of an event: which OrderService it concerns."""

from typing import Any, Final

from msgspec import Struct

SETTLED: Final = frozenset({"", "Stable", "RolledBack", "Halted"})
"""The phases in which a rollout does not move by itself."""


class WatchedKind(Struct, frozen=True):
    """A kind to watch, and the selectors of the API server; empty ones select all objects.

    `whole` requests whole objects, where the status counts; otherwise only metadata.
    """

    api_version: str
    plural: str
    labels: str = ""
    fields: str = ""
    whole: bool = False


class WatchEvent(Struct, frozen=True):
    """What an event tells: the object's identity and owner, without its content.

    `owner` is the name of the OrderService that controls it, `instance` the value of its label.
    `listed`: it comes from a list, so its state may be old. `pending`: the status of an
    OrderService says that its spec is not acted on yet, or that a rollout is under way.
    """

    api_version: str
    plural: str
    namespace: str
    name: str
    version: str
    deleted: bool
    owner: str | None
    instance: str | None
    listed: bool = False
    pending: bool = False


def watch_event(kind: WatchedKind, event: str | None, obj: Any) -> WatchEvent:
    """Return what an event tells about the resource it concerns; one of a list has no type."""
    metadata = obj["metadata"]
    owner = next(
        (
            reference["name"]
            for reference in metadata.get("ownerReferences") or []
            if reference.get("controller") and reference["kind"] == "OrderService"
        ),
        None,
    )
    labels = metadata.get("labels") or {}
    return WatchEvent(
        api_version=kind.api_version,
        plural=kind.plural,
        namespace=metadata.get("namespace") or "",
        name=metadata["name"],
        version=metadata.get("resourceVersion") or "",
        deleted=event == "DELETED",
        owner=owner,
        instance=labels.get("app.kubernetes.io/instance"),
        listed=event is None,
        pending=kind.whole and _is_pending(metadata, obj.get("status") or {}),
    )


def _is_pending(metadata: Any, status: Any) -> bool:
    observed = status.get("observedGeneration") == metadata.get("generation")
    phase = (status.get("rollout") or {}).get("phase") or ""
    return not observed or phase not in SETTLED
