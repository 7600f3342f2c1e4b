"""The claim of an embedded database, which outlives the pod, StatefulSet and OrderService.

So the claim itself carries what must be known later: where its pod could run when it was made,
because its volume may be bound to a node. It also tells Argo CD not to delete it: where Argo CD
tracks by labels, it takes anything with an instance label and no owner for its own.
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
"""Annotation of a claim: where the pod that uses it may run."""
_KEPT: Final = {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false"}


class Placed(Struct, frozen=True, rename="camel"):
    """Where a database's pod may run, as `spec.podTemplate` declared it."""

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
    """Return where a claim lets its pod run; None if the claim does not say."""
    annotations = claim["metadata"].get("annotations") or {}
    try:
        return json.decode(annotations.get(PLACED, ""), type=Placed)
    except msgspec.DecodeError:
        return None
