"""What is declared of an embedded PostgreSQL, and the templates that were made of it.

They are kept in a ControllerRevision: as long as the declaration stands they are used as they are,
so an operator of another release restarts no database; and a database that the spec has left, but
pods still use, goes on as it was declared last.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from orders_operator.api.database import Embedded, Storage
from orders_operator.api.spec import OrderService
from orders_operator.resources import declaration, postgres
from orders_operator.resources.kinds import CONTROLLER_REVISION
from orders_operator.resources.labels import COMPONENT, DATABASE, child
from orders_operator.resources.names import DATABASE_SUFFIX

Object = dict[str, Any]

_DEFAULT: Final = Embedded()


class DatabaseRevision(Struct, frozen=True):
    """The template of the pod, those of its claims, and what was declared."""

    hash: str
    declared: Embedded
    template: Object
    claims: list[Object]
    number: int = 1


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
    made = DatabaseRevision(
        declaration.digest(_of_pod(embedded)),
        embedded,
        postgres.template(service, embedded),
        postgres.claims(service, embedded),
    )
    if kept is not None and _of_pod(kept.declared) == _of_pod(embedded):
        made = replace(made, hash=kept.hash, template=kept.template, number=kept.number)
    elif kept is not None:
        made = replace(made, number=kept.number + 1)
        if kept.hash == made.hash:  # of a release whose defaults were others
            made = replace(made, hash=declaration.digest(declaration.complete(made.declared)))
    if live is not None:
        made = replace(made, claims=[_claim(it) for it in live["spec"]["volumeClaimTemplates"]])
    return made


def controller_revision(service: OrderService, revision: DatabaseRevision) -> Object:
    """Return the ControllerRevision."""
    return child(
        service,
        CONTROLLER_REVISION.api_version,
        CONTROLLER_REVISION.kind,
        component=DATABASE,
        suffix=f"{DATABASE_SUFFIX}-{revision.hash}",
        revision=revision.number,
        data={
            "declaration": declaration.complete(_of_pod(revision.declared)),
            "spec": {"template": revision.template},
        },
    )


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
        return DatabaseRevision(name, replace(declared, retention=kept), template, claims, number)
    return None if live is None else _running(live, claims)


def _running(live: Object, claims: list[Object]) -> DatabaseRevision:
    template = live["spec"]["template"]
    metadata = {"labels": template["metadata"].get("labels") or {}}
    image = next(iter(template["spec"]["containers"]))["image"]
    declared = replace(_DEFAULT, image=image)
    found = {"metadata": metadata, "spec": template["spec"]}
    return DatabaseRevision(declaration.digest(found), declared, found, claims)


def _of_pod(embedded: Embedded) -> Embedded:
    """Return what of a declaration makes the pod."""
    return replace(embedded, storage=Storage(), retention=_DEFAULT.retention)


def _claim(live: Object) -> Object:
    return {name: value for name, value in live.items() if name != "status"}
