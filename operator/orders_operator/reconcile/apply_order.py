"""The order in which kinds are applied, and what a refused object holds back. Pure."""

from typing import Final

from orders_operator.objects import Object
from orders_operator.resources.labels import CONFIG_COPY, REVISION
from orders_operator.resources.references import CONFIG_MAPS, Reference, named

_ORDER: Final = {
    "ServiceAccount": 0,
    "Secret": 1,
    "ConfigMap": 2,
    "Deployment": 4,
    "HorizontalPodAutoscaler": 5,
    "HTTPRoute": 6,
}
_OTHERS: Final = 3

_NEEDED: Final[dict[str, set[str]]] = {
    "HTTPRoute": {"Service"},
    "ControllerRevision": {"ConfigMap"},
    "Deployment": {"ControllerRevision", "ConfigMap"},
}
"""Without these, a route would lead to somebody else's Service, a revision would name a copy that
does not exist, and new pods would start without what they read, or without a way back."""


def place(kind: str) -> int:
    """Return a kind's place in the order of applies; the lowest comes first.

    What pods need comes before them. An autoscaler comes after its Deployment, or it would change
    the replicas while they are handed over to it. A route comes after its Services.
    """
    return _ORDER.get(kind, _OTHERS)


def needs(obj: Object, absent: Object) -> bool:
    """Whether an object must not be applied because `absent` could not be made."""
    if absent["kind"] not in _NEEDED.get(obj["kind"], set()):
        return False
    if absent["kind"] == "ControllerRevision":
        return _label(absent, REVISION) == _label(obj["spec"]["template"], REVISION)
    if absent.get("immutable"):  # a copy, which only its own revision reads
        return _reads(obj, absent["metadata"]["name"])
    return True


def _reads(obj: Object, copy: str) -> bool:
    if obj["kind"] == "ControllerRevision":
        return (obj["metadata"].get("annotations") or {}).get(CONFIG_COPY) == copy
    reference = Reference(CONFIG_MAPS, copy)
    return any(need.reference == reference for need in named(obj["spec"]["template"]))


def _label(obj: Object, name: str) -> str | None:
    found: str | None = (obj["metadata"].get("labels") or {}).get(name)
    return found
