"""Who owns an object: by its controller reference, or by the operator's marks without one.

An object loses its owner when the OrderService is deleted with `--cascade=orphan`, and has an
owner that no longer exists after a restore from a backup. It is still ours if it has our labels
and fields that we have applied: nobody has both by chance.
"""

from typing import Final

from msgspec import Struct

from orders_operator.api.spec import KIND
from orders_operator.objects import Object
from orders_operator.resources.labels import INSTANCE, MANAGED_BY

MANAGER: Final = "orders-operator"
"""The field manager of everything that is applied to children."""


class Owner(Struct, frozen=True):
    """The OrderService whose children these are."""

    namespace: str
    name: str
    uid: str

    @classmethod
    def of(cls, resource: Object) -> "Owner":
        """Return the owner that a resource is to its children."""
        metadata = resource["metadata"]
        return cls(metadata["namespace"], metadata["name"], metadata["uid"])

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels that every child has."""
        return {INSTANCE: self.name, "app.kubernetes.io/managed-by": MANAGED_BY}

    def controls(self, obj: Object) -> bool:
        """Whether an object is this OrderService's, by its controller reference."""
        return any(controller.get("uid") == self.uid for controller in _controllers(obj))

    def owns(self, obj: Object) -> bool:
        """Whether an object is this OrderService's, or an orphan that it may adopt."""
        return self.controls(obj) or self.orphaned(obj)

    def orphaned(self, obj: Object) -> bool:
        """Whether an object was made for an OrderService of this name, and has no owner now.

        One that is being deleted with an earlier OrderService of this name is left alone.
        """
        metadata = obj["metadata"]
        marks = metadata.get("managedFields") or []
        return (
            self.labels.items() <= (metadata.get("labels") or {}).items()
            and any((mark.get("manager"), mark.get("operation")) == _APPLIED for mark in marks)
            and all(
                (controller.get("kind"), controller.get("name")) == (KIND, self.name)
                for controller in _controllers(obj)
            )
            and not metadata.get("deletionTimestamp")
            and not self.controls(obj)
        )

    def adopted(self, obj: Object, reference: Object) -> Object:
        """Return the merge patch that makes an orphan ours, if it still is as it was read.

        It removes the old controller reference, because an object can have only one.
        """
        metadata = obj["metadata"]
        others = [
            reference
            for reference in metadata.get("ownerReferences") or []
            if not reference.get("controller")
        ]
        return {
            "metadata": {
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
                "ownerReferences": [*others, reference],
            }
        }

    def told(self, obj: Object) -> str:
        """Say who owns an object that is not ours, as far as the object says so."""
        for owner in _controllers(obj):
            if (owner["kind"], owner["name"]) == (KIND, self.name):
                return "belongs to a deleted OrderService of this name"
            return f"is controlled by {owner['kind']} {owner['name']}"
        return "was not made for this OrderService"


_APPLIED: Final = (MANAGER, "Apply")


def _controllers(obj: Object) -> list[Object]:
    references = obj["metadata"].get("ownerReferences") or []
    return [reference for reference in references if reference.get("controller")]
