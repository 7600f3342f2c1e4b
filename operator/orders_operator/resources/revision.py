"""Revisions: a declaration and the pod template made from it, kept as a ControllerRevision.

The template is kept as it was rendered, so a rollback needs nothing but the hash, and a
declaration that stands keeps its template. The hash is also a label of the pods, which tells what
each of them runs.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orders_operator.api.spec import OrderService
from orders_operator.objects import Object
from orders_operator.resources import declaration as declarations
from orders_operator.resources.config_copy import copy_of, reads_originals
from orders_operator.resources.declaration import Declaration
from orders_operator.resources.kinds import CONTROLLER_REVISION
from orders_operator.resources.labels import (
    CONFIG_COPY,
    CONFIG_HASH,
    INSTANCE,
    REVISION,
    TRACK,
    child,
)
from orders_operator.resources.pod import template as rendered

_OWN: Final = frozenset({REVISION, TRACK})


class Revision(Struct, frozen=True):
    """A pod template under the hash of its declaration.

    Args:
        hash: the hash of the declaration.
        template: the pod template as it was rendered once.
        declaration: what was declared; None if that was not kept.
        copy: the name of the copy of ConfigMaps that its pods read; empty if they read none.
            It is not part of the revision's identity.

    """

    hash: str
    template: Object
    declaration: Object | None = None
    copy: str = ""

    def on(self, track: str, content: str) -> Object:
        """Return the template of the pods of a track: `stable` or `canary`.

        Args:
            track: becomes a label, like the hash.
            content: a hash of what the pods read; not part of the revision's identity.

        """
        metadata = self.template["metadata"]
        return {
            "metadata": {
                **metadata,
                "labels": {**metadata["labels"], REVISION: self.hash, TRACK: track},
                "annotations": {**metadata["annotations"], CONFIG_HASH: content},
            },
            "spec": self.template["spec"],
        }


def wanted(service: OrderService, declared: Declaration, kept: Iterable[Revision]) -> Revision:
    """Return the revision of a declaration: the first kept one that equals it, or a new one."""
    kept = tuple(kept)
    found = next(
        (revision for revision in kept if declarations.same(revision.declaration, declared)), None
    )
    if found is not None:
        return found
    complete = declarations.complete(declared)
    name = declarations.digest(declared)
    taken = next((revision for revision in kept if revision.hash == name), None)
    if taken is None:
        return Revision(name, rendered(service), complete)
    if taken.declaration is None:  # known from its pods alone
        return replace(taken, declaration=complete)
    # It comes from another release of the operator, with other defaults.
    return Revision(declarations.digest(complete), rendered(service), complete)


def controller_revision(service: OrderService, revision: Revision, number: int) -> Object:
    """Return the ControllerRevision, with the template in the same place as a StatefulSet's."""
    data: Object = {"spec": {"template": revision.template}}
    if revision.declaration is not None:
        data["declaration"] = revision.declaration
    made = child(
        service,
        CONTROLLER_REVISION.api_version,
        CONTROLLER_REVISION.kind,
        suffix=f"-{revision.hash}",
        revision=number,
        data=data,
    )
    made["metadata"]["labels"][REVISION] = revision.hash
    if revision.copy:
        made["metadata"]["annotations"] = {CONFIG_COPY: revision.copy}
    return made


def stored(controller_revision: Object) -> Revision | None:
    """Return the revision that a ControllerRevision keeps; None if it keeps something else."""
    revision = (controller_revision["metadata"].get("labels") or {}).get(REVISION)
    data = controller_revision.get("data") or {}
    template = (data.get("spec") or {}).get("template")
    if not isinstance(revision, str) or not isinstance(template, dict):
        return None
    declared = data.get("declaration")
    copy = (controller_revision["metadata"].get("annotations") or {}).get(CONFIG_COPY, "")
    return Revision(revision, template, declared if isinstance(declared, dict) else None, copy)


def restored(template: Object) -> Revision | None:
    """Return the revision of a Deployment's pods, derived from its template.

    The API server has added its defaults to the template, but it makes the same pods.
    """
    labels = dict(template["metadata"].get("labels") or {})
    revision = labels.get(REVISION)
    if revision is None:
        return None
    copy = copy_of(template, labels.get(INSTANCE, ""), revision)
    annotations = dict(template["metadata"].get("annotations") or {})
    annotations.pop(CONFIG_HASH, None)
    metadata = {
        "labels": {key: value for key, value in labels.items() if key not in _OWN},
        "annotations": annotations,
    }
    declared = reads_originals({"metadata": metadata, "spec": template["spec"]}, copy)
    return Revision(revision, declared, copy=copy)
