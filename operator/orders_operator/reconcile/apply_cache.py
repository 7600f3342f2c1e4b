"""What was applied last, so that an object that is as we left it is not applied again.

That saves nearly every write, and ends a loop that else has no end: an API server may normalise
what it is given (it drops an empty list), so that the same apply changes the object each time, and
each change wakes its reconcile. Nothing depends on it: without it all is applied once.
"""

import hashlib
from typing import Any

from msgspec import json

Object = dict[str, Any]
Mark = tuple[str, str, bytes]
"""The uid and resourceVersion that an apply left, and a hash of what was applied."""


class ApplyCache:
    """The last apply of each child, by OrderService."""

    def __init__(self) -> None:
        """Start with nothing remembered."""
        self._marks: dict[str, dict[tuple[str, str], Mark]] = {}

    def unchanged(self, owner: str, wanted: Object, live: Object) -> bool:
        """Whether an object is as our last apply of the same left it."""
        mark = self._marks.get(owner, {}).get(_key(wanted))
        return mark is not None and mark == _mark(wanted, live)

    def applied(self, owner: str, wanted: Object, result: Object) -> None:
        """Remember what an apply left; `owner` is the OrderService's uid."""
        self._marks.setdefault(owner, {})[_key(wanted)] = _mark(wanted, result)

    def forget(self, owner: str) -> None:
        """Forget an OrderService that is gone."""
        self._marks.pop(owner, None)


def altered(before: Object, after: Object) -> bool:
    """Whether an apply did anything: a Deployment's status moves on in between by itself."""
    return _content(before) != _content(after)


def _content(obj: Object) -> Object:
    kept = {name: value for name, value in obj.items() if name != "status"}
    metadata = obj["metadata"].items()
    moving = {"resourceVersion", "managedFields"}
    return kept | {"metadata": {name: it for name, it in metadata if name not in moving}}


def digest(wanted: Object) -> bytes:
    """Return a hash of what is applied."""
    return hashlib.blake2b(json.encode(wanted, order="sorted"), digest_size=16).digest()


def _key(obj: Object) -> tuple[str, str]:
    return obj["kind"], obj["metadata"]["name"]


def _mark(wanted: Object, live: Object) -> Mark:
    metadata = live["metadata"]
    return metadata["uid"], metadata["resourceVersion"], digest(wanted)
