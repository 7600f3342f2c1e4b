"""Choose: find the declared revision, and check that everything its pods read exists."""

import secrets
from typing import Final

from orders_operator.api.conditions import Reason
from orders_operator.objects import Object
from orders_operator.reconcile.auth import lacks_keys
from orders_operator.reconcile.metrics_key import make_metrics_key
from orders_operator.reconcile.reconcile_pass import Choice, Pass
from orders_operator.resources import postgres
from orders_operator.resources.content import missing, text
from orders_operator.resources.declaration import declaration
from orders_operator.resources.kinds import CONTROLLER_REVISION
from orders_operator.resources.metrics_key import reference as metrics_key
from orders_operator.resources.references import SECRETS, Needed, Reference, everything
from orders_operator.resources.revision import Revision, wanted
from orders_operator.rollout.pods import Failure

_PASSWORD_BYTES: Final = 24


async def choose(current: Pass) -> None:
    """Choose the revision. While something that it reads is missing, the earlier one goes on.

    The Secret of an embedded database is made here the first time: pods cannot start without it.
    """
    service, snapshot = current.service, current.snapshot
    annotations = current.resource["metadata"].get("annotations")
    chosen = None if current.invalid is None else _begun(current)
    if chosen is None:
        declared = declaration(service, annotations)
        chosen = wanted(service, declared, snapshot.revisions.values())
    embedded = service.spec.database.embedded is not None and current.invalid is None
    for need in everything(chosen.template):  # the history may have chosen it
        if need.reference not in snapshot.contents:
            found = await snapshot.children.find_reference(need.reference)
            snapshot.contents[need.reference] = found
    own = Reference(SECRETS, postgres.database_name(service))
    kept = snapshot.database is not None and current.invalid is None
    password = await _password(current, own) if embedded or kept else None
    if password is not None or embedded:
        snapshot.contents[own] = password
    ours = {own} if embedded else set()
    if service.spec.monitoring.auth and current.invalid is None:
        ours.add(metrics_key(service))
    refused = not await make_metrics_key(current) or (embedded and password is None)
    needs = [need for need in everything(chosen.template) if need.reference not in ours]
    lacking = missing(needs, snapshot.contents)
    unreadable = [need for need in needs if snapshot.children.unreadable(need.reference)]
    absent = missing([need for need in needs if need not in unreadable], snapshot.contents)
    if absent:
        current.failures.insert(0, Failure(Reason.SECRET_MISSING, "; ".join(absent)))
    held = current.invalid is not None or bool(
        lacking or refused or lacks_keys(current) or snapshot.unknown or snapshot.children.unread
    )
    current.choice = Choice(
        wanted=chosen,
        going=_begun(current) if held else chosen,
        missing=lacking,
        password=password,
    )


def _begun(current: Pass) -> Revision | None:
    """Return the revision that was begun; None if it is unknown, or what runs is."""
    snapshot, before = current.snapshot, current.snapshot.before
    if snapshot.children.any_unread("Deployment"):
        return None
    known = {found for found in (before.stable, before.revision) if found is not None}
    if CONTROLLER_REVISION.kind in snapshot.unknown and not known <= snapshot.revisions.keys():
        return None
    return snapshot.revisions.get(before.revision or "")


async def _password(current: Pass, own: Reference) -> Object | None:
    """Return the Secret of the embedded database, made if need be; None if that was refused."""
    children = current.snapshot.children
    live = await children.mine("v1", "Secret", own.name)
    if live is not None and text(Needed(own, "password"), {own: live}):
        return postgres.secret(current.service, "", live)
    made = postgres.secret(current.service, secrets.token_urlsafe(_PASSWORD_BYTES), None)
    failures = await children.apply([made])
    current.failures += failures
    return None if failures else made
