"""Ensures that the claim of an embedded database outlives its StatefulSet.

A StatefulSet that was made before claims were retained has its claim deleted with it. This is
corrected before anything else in a pass, so that a paused or unreadable spec loses no orders.
"""

import logging
from typing import TYPE_CHECKING, Final

from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.client.kube import MERGE_PATCH, path
from orders_operator.objects import Object
from orders_operator.reconcile.owner import MANAGER, Owner
from orders_operator.resources.kinds import CONTROLLER_REVISION
from orders_operator.resources.labels import COMPONENT, DATABASE
from orders_operator.resources.postgres import database_names

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube

_STATEFUL_SET: Final = ("apps/v1", "statefulsets")
_SECONDS: Final = 5.0

log = logging.getLogger("orders_operator.reconcile")


async def retain(kube: "Kube", resource: Object) -> None:
    """Have the claim retained, unless the resource declares `retention: Delete`.

    Raises:
        KubeError: the API server is away.

    """
    owner = Owner.of(resource)
    for name in dict.fromkeys(database_names(owner.name)):
        try:
            live = await kube.get(*_STATEFUL_SET, owner.namespace, name, seconds=_SECONDS)
            if live is not None and owner.controls(live):
                await _retain(kube, resource, owner, live)
        except KubeError as error:
            if error.lost:
                raise
            if error.reason is not ErrorReason.FORBIDDEN:  # then none was ever made here
                log.warning("cannot read the claim of %s: %s", name, error)


async def _retain(kube: "Kube", resource: Object, owner: Owner, live: Object) -> None:
    name = live["metadata"]["name"]
    policy = live["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    if policy.get("whenDeleted") != "Delete" or await _declared(kube, owner, resource):
        return
    retained = {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain"}}
    change = {"metadata": {"uid": live["metadata"]["uid"]}, "spec": retained}
    where = path(*_STATEFUL_SET, owner.namespace, name)
    try:
        await kube.request(
            "PATCH",
            where,
            {"fieldManager": MANAGER},
            change,
            content_type=MERGE_PATCH,
            seconds=_SECONDS,
        )
    except KubeError as error:
        if error.lost:
            raise
        log.warning("cannot retain the claim of %s yet: %s", name, error)
    else:
        log.info("the claim of %s is retained", name)


async def _declared(kube: "Kube", owner: Owner, resource: Object) -> bool:
    """Whether a person wants the claim deleted: now, or when the spec last had the database.

    Only a release that supports retention has kept what was declared.
    """
    database = (resource.get("spec") or {}).get("database")
    embedded = database.get("embedded") if isinstance(database, dict) else None
    if isinstance(embedded, dict):
        return embedded.get("retention") == "Delete"
    kept = await kube.list(
        CONTROLLER_REVISION.api_version,
        CONTROLLER_REVISION.plural,
        owner.namespace,
        {**owner.labels, COMPONENT: DATABASE},
        seconds=_SECONDS,
    )
    return any(map(owner.controls, kept))
