"""Events of an OrderService, for `kubectl describe`: one for each transition, without repetitions.

An Event's reason is the reason of the condition that changed.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from msgspec import Struct

from orders_operator.objects import Object

CONTROLLER: Final = "orders.dev/orders-operator"
NOTE_LENGTH: Final = 1024


class Transition(Struct, frozen=True):
    """A condition whose status or reason changed; `bad` makes the Event a warning."""

    type: str
    reason: str
    message: str
    bad: bool


def event(resource: Object, transition: Transition, instance: str, now: datetime) -> Object:
    """Return the Event of a transition, in the form of events.k8s.io/v1."""
    metadata = resource["metadata"]
    stamp = now.astimezone(UTC)
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata['name']}.{uuid4().hex}",  # two Events may share a time
            "namespace": metadata["namespace"],
        },
        "eventTime": stamp.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": CONTROLLER,
        "reportingInstance": instance[:128],
        "action": transition.type,
        "reason": transition.reason,
        "regarding": {
            "apiVersion": resource["apiVersion"],
            "kind": resource["kind"],
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        },
        "note": transition.message[:NOTE_LENGTH] or transition.reason,
        "type": "Warning" if transition.bad else "Normal",
    }


def distinct(transitions: Iterable[Transition]) -> list[Transition]:
    """Keep the first transition of each reason: one failure changes several conditions."""
    by_reason: dict[str, Transition] = {}
    for transition in transitions:
        by_reason.setdefault(transition.reason, transition)
    return list(by_reason.values())
