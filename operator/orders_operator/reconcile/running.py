"""What the pods of a revision read now: its copy of ConfigMaps, and a hash of all. Pure."""

from collections.abc import Iterable

from msgspec.structs import replace

from orders_operator.objects import Object
from orders_operator.reconcile.reconcile_pass import Pass
from orders_operator.resources.config_copy import copy_key, copy_name
from orders_operator.resources.content import content_hash, value
from orders_operator.resources.labels import CONFIG_HASH, REVISION
from orders_operator.resources.placement import Running
from orders_operator.resources.references import CONFIG_MAPS, Needed, named
from orders_operator.resources.revision import Revision
from orders_operator.rollout.pods import created


def running(
    current: Pass, revision: Revision, copy: Object | None, deployments: Iterable[Object | None]
) -> Running:
    """Return a revision with what its pods read.

    Args:
        current: the pass.
        revision: the revision.
        copy: the ConfigMap that its pods have read last; None if there is none.
        deployments: the live ones; while something is missing, pods keep the content they have.

    """
    follows = revision.hash == current.choice.wanted.hash
    kept: dict[str, str] | None = None if copy is None else copy.get("data") or {}
    values: dict[Needed, str | None] = {}
    copied: dict[str, str] = {}
    for need in named(revision.template):
        found = value(need, current.snapshot.contents)
        if need.reference.plural == CONFIG_MAPS:
            found = _copied(need, found, kept, follows=follows)
            if found is not None:
                copied[copy_key(need)] = found
        values[need] = found
    unread = current.snapshot.children.unreadable
    unknown = any(unread(need.reference) for need in values)
    if unknown or any(found is None and not need.optional for need, found in values.items()):
        said = _said(current, revision.hash, deployments)
        if said is not None:
            return Running(revision, said, kept)
    reads = any(need.reference.plural == CONFIG_MAPS for need in values)
    if not reads:
        name = ""
    elif copied == kept:  # by whatever name it was made
        name = revision.copy
    else:
        name = copy_name(current.service.metadata.name, revision.hash, copied)
    return Running(replace(revision, copy=name), content_hash(values), copied)


def _copied(
    need: Needed, live: str | None, kept: dict[str, str] | None, *, follows: bool
) -> str | None:
    """Return the value of a key for the copy: the live one, or the one that the copy has kept."""
    if kept is None:
        return live
    if follows and (live is not None or need.optional):
        return live
    return kept.get(copy_key(need))


def _said(current: Pass, revision: str, deployments: Iterable[Object | None]) -> str | None:
    """Return the hash of the content that a revision was given last; None if nothing has it.

    A Deployment that is about to go back to the revision still has another one: then the newest
    pod of the revision has the hash.
    """
    templates = [found["spec"]["template"] for found in deployments if found is not None]
    for found in (*templates, *sorted(current.snapshot.pods, key=created, reverse=True)):
        metadata = found["metadata"]
        said: str | None = (metadata.get("annotations") or {}).get(CONFIG_HASH)
        if said is not None and (metadata.get("labels") or {}).get(REVISION) == revision:
            return said
    return None
