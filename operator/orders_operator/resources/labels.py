"""The metadata of every child: the recommended labels, and its owner."""

from typing import Any, Final

from orders_operator.api.spec import API_VERSION, KIND, OrderService

API: Final = "api"
DATABASE: Final = "database"
MANAGED_BY: Final = "orders-operator"
CONFIG_HASH: Final = "orders.dev/config-hash"
"""Annotation of pods: a hash of what they read, so that a change of it rolls them."""
CONFIG_COPY: Final = "orders.dev/config-copy"
"""Annotation of ControllerRevisions: the copy of ConfigMaps that the revision's pods read last."""

INSTANCE: Final = "app.kubernetes.io/instance"
COMPONENT: Final = "app.kubernetes.io/component"
REVISION: Final = "orders.dev/revision"
"""Label of pods and ControllerRevisions, and annotation of the database's StatefulSet: the hash of
what was declared."""
TRACK: Final = "orders.dev/track"
"""Label of pods: whether they are the stable ones or the canary's."""
STABLE: Final = "stable"
CANARY: Final = "canary"


def selector(service: OrderService, component: str) -> dict[str, str]:
    """Return the labels that select pods; they never change."""
    return {
        "app.kubernetes.io/name": "orders",
        INSTANCE: service.metadata.name,
        COMPONENT: component,
    }


def track_selector(service: OrderService, track: str) -> dict[str, str]:
    """Return the labels that select the pods of a track."""
    return {**selector(service, API), TRACK: track}


def labels(service: OrderService, component: str) -> dict[str, str]:
    """Return the labels of every object of a component."""
    return {
        **selector(service, component),
        "app.kubernetes.io/part-of": "orders",
        "app.kubernetes.io/managed-by": MANAGED_BY,
    }


def labelled(obj: dict[str, Any], name: str, value: str) -> dict[str, Any]:
    """Return an object with one more label, without writing it."""
    metadata = obj["metadata"]
    found = {**(metadata.get("labels") or {}), name: value}
    return {**obj, "metadata": {**metadata, "labels": found}}


def child(
    service: OrderService,
    api_version: str,
    kind: str,
    *,
    component: str = API,
    suffix: str = "",
    **content: Any,
) -> dict[str, Any]:
    """Return an object that the OrderService owns; `suffix` is added to its name.

    Deleting the owner deletes it. `blockOwnerDeletion` is false: with true, the operator would
    need the right to set finalizers of OrderServices.
    """
    owner = service.metadata
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": f"{owner.name}{suffix}",
            "namespace": owner.namespace,
            "labels": labels(service, component),
            "ownerReferences": [
                {
                    "apiVersion": API_VERSION,
                    "kind": KIND,
                    "name": owner.name,
                    "uid": owner.uid,
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        **content,
    }
