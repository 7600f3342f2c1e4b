"""The pod of the embedded database, read while PostgreSQL does not serve."""

import logging
from typing import TYPE_CHECKING, Final

from orders_operator.api.spec import OrderService
from orders_operator.client.errors import KubeError
from orders_operator.client.kube import path
from orders_operator.objects import Object
from orders_operator.reconcile.children import GET_SECONDS, LIST_SECONDS, refusal
from orders_operator.reconcile.in_use import uses_embedded
from orders_operator.reconcile.reconcile_pass import Pass
from orders_operator.resources import postgres
from orders_operator.resources.claim import Placed, claim_name, placed_by
from orders_operator.resources.kinds import STATEFUL_SET
from orders_operator.resources.labels import DATABASE, selector
from orders_operator.rollout.database import claim_failure, pod_failure, pod_refusal, stuck
from orders_operator.rollout.pods import Failure

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube

_SECONDS: Final = 10.0
"""When to read it again: a StatefulSet does not change when its pod crashes or is refused."""
_EVENTS: Final = 50
_CLAIM: Final = ("v1", "persistentvolumeclaims")

log = logging.getLogger("orders_operator.reconcile")


class Unread(Exception):
    """The claim could not be read, so may or may not exist."""


async def pods_of_database(
    kube: "Kube", service: OrderService, live: Object | None
) -> tuple[Object, ...]:
    """Return the StatefulSet's pods; none if it does not exist, serves, or the list is refused.

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
        log.warning("cannot read the database's pods: %s", error)
        return ()


async def is_replaced(current: Pass, live: Object) -> bool:
    """Whether to scale the StatefulSet to 0, to remove a stuck pod that it would never replace.

    The claim keeps the orders that earlier pods have written. So the pod stays if its claim would
    not outlive it, or if the claim could not be read.
    """
    if not stuck(live, current.snapshot.database_pods):
        return False
    if live["spec"].get("replicas") == 0:  # its removal is under way
        return True
    try:
        claim = await _claim(current)
    except Unread:
        return False
    failure = claim_failure(claim_name(current.service), claim)
    if failure is not None:
        current.failures.append(failure)
    return failure is None


async def placed(current: Pass) -> Placed | None:
    """Return where the claim of an earlier database lets a pod run; None without such a claim.

    Raises:
        Unread: the claim could not be read; a pod might start where its volume is not.

    """
    claim = await _claim(current)
    return None if claim is None else placed_by(claim)


async def _claim(current: Pass) -> Object | None:
    """Return the claim; None if there is none.

    Raises:
        Unread: it cannot be read; the pass has a failure for that.

    """
    name = claim_name(current.service)
    try:
        return await current.context.kube.get(*_CLAIM, current.key[0], name, seconds=GET_SECONDS)
    except KubeError as error:
        if error.lost:
            raise
        current.failures.append(refusal(f"PersistentVolumeClaim {name}", error))
        raise Unread(name) from None


async def database_failure(current: Pass) -> Failure | None:
    """Return what keeps the embedded database from serving; None if it serves, or starts."""
    if not uses_embedded(current):
        return None
    name = postgres.database_name(current.service)
    live = await current.snapshot.children.mine(STATEFUL_SET.api_version, STATEFUL_SET.kind, name)
    if live is None or _serves(live):
        return None
    current.wake(_SECONDS)
    pods = current.snapshot.database_pods
    return pod_failure(pods, current.now) if pods else pod_refusal(await _events(current, live))


async def _events(current: Pass, live: Object) -> list[Object]:
    """Return the Events of the StatefulSet; none without the right to list them."""
    where = path("events.k8s.io/v1", "events", current.key[0])
    selected = f"regarding.kind={STATEFUL_SET.kind},regarding.uid={live['metadata']['uid']}"
    params = {"fieldSelector": selected, "limit": str(_EVENTS)}
    try:
        answer = await current.context.kube.request("GET", where, params, seconds=LIST_SECONDS)
    except KubeError as error:
        log.warning("cannot read the Events of the database's StatefulSet: %s", error)
        return []
    return list(answer.get("items") or [])


def _serves(live: Object) -> bool:
    return bool((live.get("status") or {}).get("readyReplicas"))
