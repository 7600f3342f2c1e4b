"""Who owns `spec.replicas`: the operator, or the HorizontalPodAutoscaler. Pure.

Server-side apply removes a field when its only owner leaves it out, and the API server gives a
Deployment without replicas one. So before the operator leaves the field to the autoscaler, a
second manager takes it with the live value; that manager gives it up once the operator sets it
again.
"""

from typing import Final

from msgspec import Struct

from orders_operator.objects import Object

KEEPER: Final = "orders-operator-replicas"
"""The field manager that holds the live value while the autoscaler decides."""


class Handover(Struct, frozen=True):
    """What KEEPER applies `before` and `after` the Deployment; None applies nothing."""

    before: Object | None = None
    after: Object | None = None


def handover(wanted: Object, live: Object | None, manager: str) -> Handover:
    """Decide what KEEPER must apply around the apply of a Deployment."""
    if live is None:
        return Handover()
    identity = {
        "apiVersion": wanted["apiVersion"],
        "kind": wanted["kind"],
        "metadata": {
            "name": wanted["metadata"]["name"],
            "namespace": wanted["metadata"]["namespace"],
        },
    }
    if "replicas" in wanted["spec"]:
        # An empty apply gives up what the keeper holds; the field stays, for it has another owner.
        return Handover(after=identity if owns_replicas(live, KEEPER) else None)
    if not owns_replicas(live, manager):
        return Handover()
    return Handover(before=identity | {"spec": {"replicas": live["spec"].get("replicas", 1)}})


def owns_replicas(live: Object, manager: str) -> bool:
    """Whether a manager owns `spec.replicas` by server-side apply."""
    return any(
        entry.get("manager") == manager
        and entry.get("operation") == "Apply"
        and not entry.get("subresource")
        and "f:replicas" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
        for entry in live["metadata"].get("managedFields") or []
    )
