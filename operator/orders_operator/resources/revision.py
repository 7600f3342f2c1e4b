"""Revisions: a pod template under the hash of its content, kept as a ControllerRevision.

What is kept is the template as it was declared, so going back needs nothing but the hash. The
hash is also a label of the pods, which tells of each what it runs.
"""

import hashlib
from typing import Any, Final

from msgspec import Struct, json

from orders_operator.api.spec import OrderService
from orders_operator.resources.kinds import CONTROLLER_REVISION
from orders_operator.resources.labels import REVISION, TRACK, child

Object = dict[str, Any]

_HASH_LENGTH: Final = 10


class Revision(Struct, frozen=True):
    """A pod template, and the hash of its content."""

    hash: str
    template: Object

    def on(self, track: str) -> Object:
        """Return the template of the pods of a track: `stable` or `canary`."""
        metadata = self.template["metadata"]
        own = {REVISION: self.hash, TRACK: track}
        return {
            "metadata": {**metadata, "labels": {**metadata["labels"], **own}},
            "spec": self.template["spec"],
        }


def revision_of(template: Object) -> Revision:
    """Return the revision that a pod template is."""
    content = json.encode(template, order="sorted")
    return Revision(hashlib.sha256(content).hexdigest()[:_HASH_LENGTH], template)


def controller_revision(service: OrderService, revision: Revision, number: int) -> Object:
    """Return the ControllerRevision; its data are laid out as those of a StatefulSet."""
    made = child(
        service,
        CONTROLLER_REVISION.api_version,
        CONTROLLER_REVISION.kind,
        suffix=f"-{revision.hash}",
        revision=number,
        data={"spec": {"template": revision.template}},
    )
    made["metadata"]["labels"][REVISION] = revision.hash
    return made


def stored(controller_revision: Object) -> Revision | None:
    """Return the revision that a ControllerRevision keeps; None if it keeps something else."""
    found = (controller_revision["metadata"].get("labels") or {}).get(REVISION)
    template = ((controller_revision.get("data") or {}).get("spec") or {}).get("template")
    if not isinstance(found, str) or not isinstance(template, dict):
        return None
    return Revision(found, template)


def restored(template: Object) -> Revision | None:
    """Return the revision that pods have from the template of their Deployment.

    The API server has added its defaults to it, which make no other pods of it.
    """
    labels = dict(template["metadata"].get("labels") or {})
    found = labels.pop(REVISION, None)
    labels.pop(TRACK, None)
    if found is None:
        return None
    annotations = template["metadata"].get("annotations") or {}
    metadata = {"labels": labels, "annotations": dict(annotations)}
    return Revision(found, {"metadata": metadata, "spec": template["spec"]})
