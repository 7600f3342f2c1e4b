"""What is declared of an embedded PostgreSQL, and the templates that were made of it.

They are kept in a ControllerRevision: as long as the declaration stands they are used as they are,
so an operator of another release restarts no database; and a database that the spec has left, but
pods still use, goes on as it was declared last.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct, json
from msgspec.structs import replace

from orders_operator.api.database import Embedded, Storage
from orders_operator.api.spec import OrderService, PodTemplate
from orders_operator.resources import declaration, postgres
from orders_operator.resources.inherited import declared_metadata
from orders_operator.resources.kinds import CONTROLLER_REVISION
from orders_operator.resources.labels import COMPONENT, DATABASE, child

Object = dict[str, Any]

POD_TEMPLATE: Final = "orders.dev/pod-template"
"""Annotation of the ControllerRevision: what its template has of `spec.podTemplate`. Its data
cannot change, and a release before has what it wrote there itself."""

_DEFAULT: Final = Embedded()


class DatabaseRevision(Struct, frozen=True):
    """The template of the pod, those of its claims, and what was declared.

    Args:
        hash: of what was declared.
        declared: as `spec.database.embedded`.
        template: as it was rendered once.
        claims: the claim templates, which never change.
        number: of the ControllerRevision; the newest has the greatest.
        pod_template: what was declared of all pods; None if the release that kept this did not
            know that it is for the database, too.

    """

    hash: str
    declared: Embedded
    template: Object
    claims: list[Object]
    number: int = 1
    pod_template: PodTemplate | None = None


def database_revision(
    service: OrderService, kept: DatabaseRevision | None, live: Object | None
) -> DatabaseRevision | None:
    """Return the revision that is wanted; None if the spec has none and none was kept.

    Args:
        service: the resource.
        kept: the last one, if there was one.
        live: the StatefulSet, whose claim templates cannot change.

    """
    embedded = service.spec.database.embedded
    if embedded is None:
        return kept
    extra = _of_all_pods(service, kept)
    made = DatabaseRevision(
        declaration.digest(_identity(embedded, extra)),
        embedded,
        postgres.template(service, embedded, extra),
        postgres.claims(service, embedded),
        pod_template=extra,
    )
    if kept is not None and _stands(kept, embedded, extra):
        made = replace(made, hash=kept.hash, template=kept.template, number=kept.number)
    elif kept is not None:
        made = replace(made, number=kept.number + 1)
        if kept.hash == made.hash:  # of a release whose defaults were others
            made = replace(made, hash=declaration.digest(declaration.complete(made.declared)))
    if live is not None:
        made = replace(made, claims=[_claim(it) for it in live["spec"]["volumeClaimTemplates"]])
    return made


def _stands(kept: DatabaseRevision, embedded: Embedded, extra: PodTemplate) -> bool:
    """Whether what is declared is what was kept, as far as that was kept."""
    known = kept.pod_template is None or kept.pod_template == extra
    return known and _of_pod(kept.declared) == _of_pod(embedded)


def _of_all_pods(service: OrderService, kept: DatabaseRevision | None) -> PodTemplate:
    """Return what is declared of all pods, as far as it is for the database.

    Its volume may be bound to a node, so its pod stays where it could go when the claim was made.
    """
    declared, metadata = service.spec.pod_template, declared_metadata(service.spec)
    extra = replace(declared, labels=metadata.labels, annotations=metadata.annotations, env=())
    if kept is None:
        return extra
    first = kept.pod_template or PodTemplate()
    return replace(extra, node_selector=first.node_selector, affinity=first.affinity)


def _identity(embedded: Embedded, extra: PodTemplate) -> Any:
    """Return what is hashed; what is declared of no pod does not enter it."""
    if extra == PodTemplate():
        return _of_pod(embedded)
    return [_of_pod(embedded), extra]


def controller_revision(service: OrderService, revision: DatabaseRevision) -> Object:
    """Return the ControllerRevision."""
    made = child(
        service,
        CONTROLLER_REVISION.api_version,
        CONTROLLER_REVISION.kind,
        component=DATABASE,
        suffix=f"{postgres.SUFFIX}-{revision.hash}",
        revision=revision.number,
        data={
            "declaration": declaration.complete(_of_pod(revision.declared)),
            "spec": {"template": revision.template},
        },
    )
    if revision.pod_template is not None:
        kept = json.encode(revision.pod_template, order="sorted").decode()
        made["metadata"]["annotations"] = {POD_TEMPLATE: kept}
    return made


def stored(
    service: OrderService, controller_revisions: list[Object], live: Object | None
) -> DatabaseRevision | None:
    """Return the newest that is kept; retention and claims are those of the StatefulSet.

    Without a ControllerRevision the StatefulSet itself is what is known.
    """
    running = {} if live is None else live["spec"]
    retention = (running.get("persistentVolumeClaimRetentionPolicy") or {}).get("whenDeleted")
    claims = [_claim(it) for it in running.get("volumeClaimTemplates") or []]
    newest = sorted(controller_revisions, key=lambda obj: -int(obj.get("revision") or 0))
    for obj in newest:
        data = obj.get("data") or {}
        template = (data.get("spec") or {}).get("template")
        labels = obj["metadata"].get("labels") or {}
        if labels.get(COMPONENT) != DATABASE or not isinstance(template, dict):
            continue
        name = obj["metadata"]["name"].rpartition("-")[2]
        try:
            declared = msgspec.convert(data.get("declaration"), Embedded)
        except msgspec.ValidationError:
            declared = _DEFAULT
        kept = retention if retention in {"Retain", "Delete"} else "Retain"
        claims = claims or postgres.claims(service, declared)
        number = int(obj.get("revision") or 1)
        declared = replace(declared, retention=kept)
        return DatabaseRevision(name, declared, template, claims, number, _pod_template(obj))
    return None if live is None else _running(live, claims)


def _running(live: Object, claims: list[Object]) -> DatabaseRevision:
    template = live["spec"]["template"]
    metadata = {"labels": template["metadata"].get("labels") or {}}
    containers = template["spec"]["containers"]  # a policy may have put a sidecar first
    image = next(it for it in containers if it["name"] == postgres.CONTAINER)["image"]
    first = {it["name"] for it in template["spec"].get("initContainers") or ()}
    permissions = postgres.VOLUME_PERMISSIONS in first
    declared = replace(_DEFAULT, image=image, volume_permissions=permissions)
    found = {"metadata": metadata, "spec": template["spec"]}
    return DatabaseRevision(declaration.digest(found), declared, found, claims)


def _pod_template(controller_revision: Object) -> PodTemplate | None:
    """Return what was declared of all pods; None where that was not kept, or cannot be read."""
    annotations = controller_revision["metadata"].get("annotations") or {}
    try:
        return json.decode(annotations.get(POD_TEMPLATE, ""), type=PodTemplate)
    except msgspec.DecodeError:
        return None


def _of_pod(embedded: Embedded) -> Embedded:
    """Return what of a declaration makes the pod."""
    return replace(embedded, storage=Storage(), retention=_DEFAULT.retention)


def _claim(live: Object) -> Object:
    return {name: value for name, value in live.items() if name != "status"}
