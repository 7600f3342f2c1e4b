"""Names of children that have a bound of their own; past it, a hash takes the place of the end.

A name that fits is the OrderService's with a suffix. Those of Services are labels of DNS, and so
are at most 63 long. The controller of StatefulSets gives its pods a label of its name, a hyphen
and a hash of ten, and a label's value has at most 63 characters too.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

from msgspec.structs import replace

from orders_operator.api.spec import OrderService
from orders_operator.resources.labels import COMPONENT, DATABASE

Object = dict[str, Any]

DATABASE_SUFFIX: Final = "-postgresql"
_SERVICE_LENGTH: Final = 63
_STATEFUL_SET_LENGTH: Final = _SERVICE_LENGTH - 11
_HASH_LENGTH: Final = 8


def database_name(service: OrderService) -> str:
    """Return the name of the StatefulSet, of its Service and of the Secret with its password."""
    name = service.metadata.name
    return service.database_name or _bounded(name, DATABASE_SUFFIX, _STATEFUL_SET_LENGTH)


def track_service_name(service: OrderService, track: str) -> str:
    """Return the name of the Service of the pods of one track."""
    return _bounded(service.metadata.name, f"-{track}", _SERVICE_LENGTH)


def named(name: str, child: Object) -> Object:
    """Return a child under another name than the OrderService's with a suffix."""
    return {**child, "metadata": {**child["metadata"], "name": name}}


def with_database_of(service: OrderService, live: Iterable[Object]) -> OrderService:
    """Return the resource with the name that its database has; `live` are children of it.

    Releases that hashed no name gave a database of 53 to 56 characters a StatefulSet whose hash
    had to be short for a pod to come up. One that did keeps its name, and with it its claim.
    """
    name = f"{service.metadata.name}{DATABASE_SUFFIX}"
    for child in live:
        metadata = child["metadata"]
        component = (metadata.get("labels") or {}).get(COMPONENT)
        if component == DATABASE and metadata["name"] == name:
            return replace(service, database_name=name)
    return service


def _bounded(name: str, suffix: str, length: int) -> str:
    """Return the name with the suffix, in `length` characters at most."""
    whole = f"{name}{suffix}"
    if len(whole) <= length:
        return whole
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]
    kept = name[: length - len(suffix) - _HASH_LENGTH - 1].rstrip("-")
    return f"{kept}-{digest}{suffix}"
