"""Names of children with a limit of their own; beyond it, a hash replaces the end.

A name that fits is the OrderService's with a suffix. The name of a Service is a DNS label, with at
most 63 characters. The StatefulSet controller gives its pods a label of its name, a hyphen and a
hash of ten, and a label's value has at most 63 characters too.
"""

import hashlib
from typing import Final

from orders_operator.api.spec import OrderService
from orders_operator.objects import Object

SERVICE_LENGTH: Final = 63
STATEFUL_SET_LENGTH: Final = SERVICE_LENGTH - 11
_HASH_LENGTH: Final = 8


def track_service_name(service: OrderService, track: str) -> str:
    """Return the name of the Service of the pods of one track."""
    return bounded(service.metadata.name, f"-{track}", SERVICE_LENGTH)


def named(name: str, child: Object) -> Object:
    """Return a child under a name that is not the OrderService's with a suffix."""
    return {**child, "metadata": {**child["metadata"], "name": name}}


def bounded(name: str, suffix: str, length: int) -> str:
    """Return the name with the suffix, in at most `length` characters."""
    whole = f"{name}{suffix}"
    if len(whole) <= length:
        return whole
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]
    kept = name[: length - len(suffix) - _HASH_LENGTH - 1].rstrip("-")
    return f"{kept}-{digest}{suffix}"
