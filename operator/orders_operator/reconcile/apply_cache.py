"""Finds objects that need no apply: those as we left them, and those already as they should be.

That saves nearly every write, and breaks a loop that would otherwise never end: an API server may
normalise what it is given (it drops an empty list), or a policy may write the time into it, so
that the same apply changes the object each time, and each change wakes its reconcile. A change of
status is no reason to apply either. Nothing depends on this cache: without it, an object is
applied once more if its `managedFields` do not show that it is as it should be.
"""

import hashlib

from msgspec import json

from orders_operator.objects import Object
from orders_operator.reconcile.managed_fields import is_applied
from orders_operator.reconcile.replicas import Handover, handover

Mark = tuple[str, bytes, bytes]
"""The uid, a hash of what was applied, and one of the object that it left."""


class ApplyCache:
    """The last apply of each child, by OrderService."""

    def __init__(self) -> None:
        self._marks: dict[str, dict[tuple[str, str], Mark]] = {}

    def unchanged(self, owner: str, wanted: Object, live: Object, manager: str) -> bool:
        """Whether an object is as our last apply of `wanted` left it, or as an apply would."""
        mark = self._marks.get(owner, {}).get(key(wanted))
        if mark is not None and mark == _mark(wanted, live):
            return True
        deployment = wanted["kind"] == "Deployment"
        owned = not deployment or handover(wanted, live, manager) == Handover()
        return owned and is_applied(live, wanted, manager)

    def applied(self, owner: str, wanted: Object, result: Object) -> None:
        """Remember what an apply left; `owner` is the OrderService's uid."""
        self._marks.setdefault(owner, {})[key(wanted)] = _mark(wanted, result)

    def forget(self, owner: str) -> None:
        """Forget an OrderService that is gone."""
        self._marks.pop(owner, None)


def altered(before: Object, after: Object) -> bool:
    """Whether an apply changed anything but the status, which changes by itself."""
    return _content(before) != _content(after)


def digest(obj: Object) -> bytes:
    """Return a hash of an object."""
    return hashlib.blake2b(json.encode(obj, order="sorted"), digest_size=16).digest()


def _content(obj: Object) -> Object:
    """Return an object without what changes by itself, and without what items of a list lack."""
    moving = {"resourceVersion", "managedFields"}
    metadata = {name: it for name, it in obj["metadata"].items() if name not in moving}
    left = {name: it for name, it in obj.items() if name not in {"apiVersion", "kind", "status"}}
    return left | {"metadata": metadata}


def key(obj: Object) -> tuple[str, str]:
    """Return kind and name, which identify a child in its namespace."""
    return obj["kind"], obj["metadata"]["name"]


def _mark(wanted: Object, live: Object) -> Mark:
    return live["metadata"]["uid"], digest(wanted), digest(_content(live))
