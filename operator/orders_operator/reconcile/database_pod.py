"""The pod of the embedded database, read while PostgreSQL does not serve."""

from typing import Final

from orders_operator.reconcile.in_use import uses_embedded
from orders_operator.reconcile.reconcile_pass import Pass
from orders_operator.resources import postgres
from orders_operator.resources.kinds import STATEFUL_SET
from orders_operator.resources.labels import DATABASE, selector
from orders_operator.rollout.database import database_trouble
from orders_operator.rollout.pods import Trouble

_SECONDS: Final = 10.0
"""When to read it again: a StatefulSet does not change when its pod crashes."""


async def trouble_of_database(it: Pass) -> Trouble | None:
    """Return what keeps the embedded database from serving; None if it serves, or starts."""
    if not uses_embedded(it):
        return None
    name = postgres.database_name(it.service)
    live = await it.snapshot.children.mine(STATEFUL_SET.api_version, STATEFUL_SET.kind, name)
    if live is None or (live.get("status") or {}).get("readyReplicas"):
        return None
    it.wake(_SECONDS)
    found = await it.context.kube.list("v1", "pods", it.key[0], selector(it.service, DATABASE))
    return database_trouble(found)
