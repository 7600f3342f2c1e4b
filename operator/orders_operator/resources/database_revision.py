"""Revisions of an embedded PostgreSQL: the declaration and the templates that were made from it.

A ControllerRevision keeps them. While the declaration stands, the templates are used unchanged, so
another release of the operator restarts no database. A database that the spec no longer has, but
that pods still use, stays as it was declared last. The StatefulSet names its ControllerRevision,
so that neither the removal of labels nor the loss of the ControllerRevision restarts the database.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct, json
from msgspec.structs import replace

from orders_operator.api.database import Embedded, Storage
from orders_operator.api.spec import OrderService, PodTemplate
from orders_operator.objects import Object
from orders_operator.resources import declaration, postgres
from orders_operator.resources.claim import Placed, claims
from orders_operator.resources.inherited import declared_metadata
from orders_operator.resources.kinds import CONTROLLER_REVISION
from orders_operator.resources.labels import COMPONENT, CONFIG_HASH, DATABASE, REVISION, child

POD_TEMPLATE: Final = "orders.dev/pod-template"
"""Annotation of the ControllerRevision: what its template has from `spec.podTemplate`. The data
are immutable, and those of an earlier release lack it."""

_DEFAULT: Final = Embedded()


class Written(Struct, frozen=True):
    """A declaration as a release has kept it, possibly with fields that this one does not know.

    Args:
        declaration: the ControllerRevision's, which never changes.
        pod_template: the annotation's; empty if the release did not know it.

    """

    declaration: Object
    pod_template: str = ""


class DatabaseRevision(Struct, frozen=True):
    """The templates of the pod and its claims, and the declaration.

    Args:
        hash: the hash of the declaration.
        declared: the declared `spec.database.embedded`.
        template: the pod template as it was rendered once.
        claims: the claim templates, which never change.
        number: the number of the ControllerRevision; the newest has the greatest.
        pod_template: the declared `spec.podTemplate`; None if the release that kept this did not
            apply it to the database.
        written: both declarations as they are kept.
        known: whether `declared` is the true declaration; if not, only `hash` belongs to it.

    """

    hash: str
    declared: Embedded
    template: Object
    claims: list[Object]
    number: int = 1
    pod_template: PodTemplate | None = None
    written: Written = Written({})
    known: bool = True


def database_revision(
    service: OrderService,
    kept: DatabaseRevision | None,
    live: Object | None,
    placed: Placed | None = None,
) -> DatabaseRevision | None:
    """Return the wanted revision; None if the spec has no database and none was kept.

    Args:
        service: the resource.
        kept: the last revision, if there was one.
        live: the StatefulSet, whose claim templates cannot change.
        placed: where an existing claim lets the pod run; None if there is none.

    """
    embedded = service.spec.database.embedded
    if embedded is None:
        return kept
    extra = _of_all_pods(service, placed if kept is None else _placed(kept.template))
    made = DatabaseRevision(
        declaration.digest(_identity(embedded, extra)),
        embedded,
        postgres.template(service, embedded, extra),
        claims(service, embedded, Placed(extra.node_selector, extra.affinity)),
        pod_template=extra,
        written=Written(declaration.complete(_of_pod(embedded)), _encoded(extra)),
    )
    if kept is not None and _stands(kept, made):
        made = replace(made, hash=kept.hash, template=kept.template, number=kept.number)
        if kept.known:
            written = replace(
                kept.written, pod_template=kept.written.pod_template or _encoded(extra)
            )
            made = replace(made, written=written)
    elif kept is not None:
        made = replace(made, number=kept.number + 1)
        if kept.hash == made.hash:  # from a release with other defaults
            made = replace(made, hash=declaration.digest(declaration.complete(made.declared)))
    if live is not None:
        made = replace(
            made,
            claims=[_claim(template) for template in live["spec"]["volumeClaimTemplates"]],
        )
    return made


def _stands(kept: DatabaseRevision, made: DatabaseRevision) -> bool:
    """Whether the declaration equals the kept one, as far as that was kept."""
    if not kept.known:
        return kept.hash == made.hash
    same = kept.pod_template is None or kept.pod_template == made.pod_template
    return same and _of_pod(kept.declared) == _of_pod(made.declared)


def _of_all_pods(service: OrderService, placed: Placed | None) -> PodTemplate:
    """Return the part of `spec.podTemplate` that applies to the database.

    Its volume may be bound to a node, so its pod stays where it could run when the claim was made.
    """
    declared, metadata = service.spec.pod_template, declared_metadata(service.spec)
    extra = replace(declared, labels=metadata.labels, annotations=metadata.annotations, env=())
    if placed is None:
        return extra
    return replace(extra, node_selector=placed.node_selector, affinity=placed.affinity)


def _placed(template: Object) -> Placed:
    """Return where the pods of a template may run."""
    spec = template["spec"]
    return Placed(spec.get("nodeSelector") or {}, spec.get("affinity"))


def _identity(embedded: Embedded, extra: PodTemplate) -> Any:
    """Return what is hashed; a `spec.podTemplate` without content does not change the hash."""
    if extra == PodTemplate():
        return _of_pod(embedded)
    return [_of_pod(embedded), extra]


def controller_revision(service: OrderService, revision: DatabaseRevision) -> Object:
    """Return the ControllerRevision of a revision."""
    made = child(
        service,
        CONTROLLER_REVISION.api_version,
        CONTROLLER_REVISION.kind,
        component=DATABASE,
        suffix=f"{postgres.SUFFIX}-{revision.hash}",
        revision=revision.number,
        data={
            "declaration": revision.written.declaration,
            "spec": {"template": revision.template},
        },
    )
    if revision.written.pod_template:
        made["metadata"]["annotations"] = {POD_TEMPLATE: revision.written.pod_template}
    return made


def name_of(service: OrderService, live: Object) -> str | None:
    """Return the name of a StatefulSet's ControllerRevision; None if it does not tell."""
    revision = _named(live)
    return None if revision is None else f"{service.metadata.name}{postgres.SUFFIX}-{revision}"


def stored(
    service: OrderService, controller_revisions: list[Object], live: Object | None
) -> DatabaseRevision | None:
    """Return the newest kept revision, with the StatefulSet's retention and claims.

    Without a ControllerRevision, it is derived from the StatefulSet itself.
    """
    running = {} if live is None else live["spec"]
    retention = (running.get("persistentVolumeClaimRetentionPolicy") or {}).get("whenDeleted")
    there = [_claim(template) for template in running.get("volumeClaimTemplates") or []]
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
        there = there or claims(service, declared, _placed(template))
        number = int(obj.get("revision") or 1)
        declared = replace(declared, retention=kept)
        written = Written(
            data.get("declaration") or {},
            (obj["metadata"].get("annotations") or {}).get(POD_TEMPLATE, ""),
        )
        pods = _decoded(written.pod_template)
        return DatabaseRevision(name, declared, template, there, number, pods, written)
    return None if live is None else _running(live, there)


def _running(live: Object, there: list[Object]) -> DatabaseRevision:
    template = live["spec"]["template"]
    annotations = dict(template["metadata"].get("annotations") or {})
    annotations.pop(CONFIG_HASH, None)
    metadata = {"labels": template["metadata"].get("labels") or {}}
    metadata |= {"annotations": annotations} if annotations else {}
    containers = template["spec"]["containers"]  # a policy may have put a sidecar first
    image = next(container for container in containers if container["name"] == postgres.CONTAINER)[
        "image"
    ]
    first = {container["name"] for container in template["spec"].get("initContainers") or ()}
    permissions = postgres.VOLUME_PERMISSIONS in first
    declared = replace(_DEFAULT, image=image, volume_permissions=permissions)
    pod_template = {"metadata": metadata, "spec": template["spec"]}
    name = _named(live)
    written = Written(declaration.complete(_of_pod(declared)))
    hash_ = name or declaration.digest(pod_template)
    return DatabaseRevision(
        hash_, declared, pod_template, there, written=written, known=name is None
    )


def _named(live: Object) -> str | None:
    revision: str | None = (live["metadata"].get("annotations") or {}).get(REVISION)
    return revision


def _encoded(pod_template: PodTemplate) -> str:
    return json.encode(pod_template, order="sorted").decode()


def _decoded(written: str) -> PodTemplate | None:
    """Return the kept `spec.podTemplate`; None if it was not kept, or cannot be read."""
    try:
        return json.decode(written, type=PodTemplate)
    except msgspec.DecodeError:
        return None


def _of_pod(embedded: Embedded) -> Embedded:
    """Return a declaration with only the fields from which the pod is made."""
    return replace(embedded, storage=Storage(), retention=_DEFAULT.retention)


def _claim(live: Object) -> Object:
    return {name: value for name, value in live.items() if name != "status"}
