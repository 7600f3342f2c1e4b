"""Choose: which revision is declared, and whether all that its pods read is there."""

import secrets
from typing import Any, Final

from orders_operator.api.conditions import Reason
from orders_operator.reconcile.observed import Problem
from orders_operator.reconcile.reconcile_pass import Choice, Pass
from orders_operator.resources import postgres
from orders_operator.resources.content import missing, text
from orders_operator.resources.declaration import declaration
from orders_operator.resources.references import SECRETS, Needed, Reference, named
from orders_operator.resources.revision import wanted

Object = dict[str, Any]

_PASSWORD_BYTES: Final = 24


async def choose(it: Pass) -> None:
    """Choose; without all that it reads nothing new is begun, and what was begun goes on.

    An embedded database's Secret is made here, the first time: pods cannot begin without it.
    """
    service, snapshot = it.service, it.snapshot
    annotations = it.resource["metadata"].get("annotations")
    chosen = wanted(service, declaration(service, annotations), snapshot.revisions.values())
    embedded = service.spec.database.embedded is not None
    for need in named(chosen.template):  # of one that is taken up from the history
        if need.reference not in snapshot.contents:
            found = await snapshot.children.find_reference(need.reference)
            snapshot.contents[need.reference] = found
    own = Reference(SECRETS, postgres.database_name(service))
    password = await _password(it, own) if embedded or snapshot.database is not None else None
    if password is not None or embedded:
        snapshot.contents[own] = password
    refused = embedded and password is None
    lacking = missing(
        [need for need in named(chosen.template) if not (embedded and need.reference == own)],
        snapshot.contents,
    )
    if lacking:
        it.problems.insert(0, Problem(Reason.SECRET_MISSING, "; ".join(lacking)))
    begun = snapshot.revisions.get(snapshot.before.revision or "")
    it.choice = Choice(
        wanted=chosen,
        going=begun if lacking or refused else chosen,
        missing=lacking,
        password=password,
    )


async def _password(it: Pass, own: Reference) -> Object | None:
    """Return the Secret of the embedded database; None if it cannot be had."""
    children = it.snapshot.children
    live = await children.mine("v1", "Secret", own.name)
    if live is not None and text(Needed(own, "password"), {own: live}):
        return postgres.secret(it.service, "", live)
    made = postgres.secret(it.service, secrets.token_urlsafe(_PASSWORD_BYTES), None)
    problems = await children.apply([made])
    it.problems += problems
    return None if problems else made
