"""The pod of the embedded database, read while PostgreSQL does not serve."""

import logging
from typing import TYPE_CHECKING, Final

from orders_operator.api.spec import OrderService
from orders_operator.client.errors import KubeError
from orders_operator.client.kube import path
from orders_operator.objects import Object
from orders_operator.reconcile.children import GET_SECONDS, LIST_SECONDS, refusal
from orders_operator.reconcile.in_use import uses_embedded
from orders_operator.reconcile.observed import Problem
from orders_operator.reconcile.reconcile_pass import Pass
from orders_operator.resources import postgres
from orders_operator.resources.claim import Placed, claim_name, placed_by
from orders_operator.resources.kinds import STATEFUL_SET
from orders_operator.resources.labels import DATABASE, selector
from orders_operator.rollout.database import database_trouble, pod_refusal, stuck, told_of_claim
from orders_operator.rollout.pods import Trouble

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube

_SECONDS: Final = 10.0
"""When to read it again: a StatefulSet does not change when its pod crashes, or is refused."""
_EVENTS: Final = 50
_CLAIM: Final = ("v1", "persistentvolumeclaims")

log = logging.getLogger("orders_operator.reconcile")


class Unread(Exception):
    """It is not known whether there is a claim, or what it says."""


async def pods_of_database(
    kube: "Kube", service: OrderService, live: Object | None
) -> tuple[Object, ...]:
    """Return the pods of the StatefulSet; none if there is no such, it serves, or that is refused.

    Raises:
        KubeError: the API server does not answer.

    """
    if live is None or _serves(live):
        return ()
    namespace = service.metadata.namespace
    try:
        labels = selector(service, DATABASE)
        return tuple(await kube.list("v1", "pods", namespace, labels, seconds=LIST_SECONDS))
    except KubeError as error:
        if error.lost:
            raise
        log.warning("what the database's pod says is not known: %s", error)
        return ()


async def is_replaced(it: Pass, live: Object) -> bool:
    """Whether the StatefulSet is scaled to none, so that a pod goes that it would never replace.

    The claim keeps the orders that earlier pods have written. So the pod stays while its claim
    would not outlive it, and while that is not known.
    """
    if not stuck(live, it.snapshot.database_pods):
        return False
    if live["spec"].get("replicas") == 0:  # it goes already
        return True
    try:
        claim = await _claim(it)
    except Unread:
        return False
    trouble = told_of_claim(claim_name(it.service), claim)
    if trouble is not None:
        it.problems.append(Problem(trouble.reason, trouble.message))
    return trouble is None


async def placed(it: Pass) -> Placed | None:
    """Return where a pod may run by the claim that an earlier database has left; None without.

    Raises:
        Unread: it is not known; the pod might come up where its volume is not.

    """
    claim = await _claim(it)
    return None if claim is None else placed_by(claim)


async def _claim(it: Pass) -> Object | None:
    """Return the claim; None if there is none.

    Raises:
        Unread: it cannot be read, and the pass says so.

    """
    name = claim_name(it.service)
    try:
        return await it.context.kube.get(*_CLAIM, it.key[0], name, seconds=GET_SECONDS)
    except KubeError as error:
        if error.lost:
            raise
        it.problems.append(refusal(f"PersistentVolumeClaim {name}", error))
        raise Unread(name) from None


async def trouble_of_database(it: Pass) -> Trouble | None:
    """Return what keeps the embedded database from serving; None if it serves, or starts."""
    if not uses_embedded(it):
        return None
    name = postgres.database_name(it.service)
    live = await it.snapshot.children.mine(STATEFUL_SET.api_version, STATEFUL_SET.kind, name)
    if live is None or _serves(live):
        return None
    it.wake(_SECONDS)
    pods = it.snapshot.database_pods
    return database_trouble(pods, it.now) if pods else pod_refusal(await _events(it, live))


async def _events(it: Pass, live: Object) -> list[Object]:
    """Return the Events of the StatefulSet; none without the right to list them."""
    where = path("events.k8s.io/v1", "events", it.key[0])
    selected = f"regarding.kind={STATEFUL_SET.kind},regarding.uid={live['metadata']['uid']}"
    params = {"fieldSelector": selected, "limit": str(_EVENTS)}
    try:
        found = await it.context.kube.request("GET", where, params, seconds=LIST_SECONDS)
    except KubeError as error:
        log.warning("why the database has no pod is not known: %s", error)
        return []
    return list(found.get("items") or [])


def _serves(live: Object) -> bool:
    return bool((live.get("status") or {}).get("readyReplicas"))
