"""The claim of an embedded database: it outlives the pod, the StatefulSet and the OrderService.

So it says itself what must be known of it later: where its pod could run when it was made, since
its volume may be bound to a node. And it tells Argo CD not to delete it: where that tracks by
labels, it takes whatever has the label of an instance and no owner for its own.
"""

from typing import Final

import msgspec
from msgspec import Struct, json

from orders_operator.api.database import Embedded
from orders_operator.api.fields import Raw
from orders_operator.api.spec import OrderService
from orders_operator.objects import Object
from orders_operator.resources.labels import DATABASE, labels
from orders_operator.resources.postgres import CLAIM, database_name

PLACED: Final = "orders.dev/placed"
"""Annotation of a claim: where the pod may run that uses it."""
_KEPT: Final = {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false"}


class Placed(Struct, frozen=True, rename="camel"):
    """Where the pod of a database may run, as `spec.podTemplate` declared it."""

    node_selector: dict[str, str] = {}
    affinity: Raw | None = None


def claims(service: OrderService, embedded: Embedded, placed: Placed) -> list[Object]:
    """Return the claim templates; a StatefulSet that exists keeps its own."""
    spec: Object = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": embedded.storage.size}},
    }
    if embedded.storage.class_name:
        spec["storageClassName"] = embedded.storage.class_name
    made = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": CLAIM,
            "labels": labels(service, DATABASE),
            "annotations": {**_KEPT, PLACED: json.encode(placed, order="sorted").decode()},
        },
        "spec": spec,
    }
    return [made]


def claim_name(service: OrderService) -> str:
    """Return the name of the claim, which outlives the StatefulSet."""
    return f"{CLAIM}-{database_name(service)}-0"


def placed_by(claim: Object) -> Placed | None:
    """Return where the pod may run that uses a claim; None where the claim does not say so."""
    annotations = claim["metadata"].get("annotations") or {}
    try:
        return json.decode(annotations.get(PLACED, ""), type=Placed)
    except msgspec.DecodeError:
        return None
