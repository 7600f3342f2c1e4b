"""What is in use, and what it needs: that stays, whatever the spec declares by now. Pure.

In use are the stable revision, the one that rolls out, the previous stable one until the new one
is stable, and every pod that still exists, including one that is terminating.
"""

from collections.abc import Iterable

from orders_operator.objects import Object
from orders_operator.reconcile.reconcile_pass import Pass
from orders_operator.resources import postgres
from orders_operator.resources.content import text
from orders_operator.resources.labels import CONFIG_HASH, REVISION
from orders_operator.resources.network import Egress, database_ports, open_ports
from orders_operator.resources.placement import Running
from orders_operator.resources.references import (
    CONFIG_MAPS,
    auth_config_of,
    collector_port,
    database,
    named,
)


def in_use(current: Pass) -> tuple[Object, ...]:
    """Return the pods, and the templates of revisions, whose needs must stay."""
    snapshot = current.snapshot
    status = snapshot.before if current.plan is None else current.plan.status
    hashes = [status.stable, status.canary]
    hashes += (
        [status.revision] if current.plan is None else [current.plan.stable, current.plan.canary]
    )
    known = current.known
    templates = [known[found].template for found in dict.fromkeys(hashes) if found in known]
    return (*templates, *snapshot.pods)


def uses_embedded(current: Pass) -> bool:
    """Whether the embedded PostgreSQL is declared, or anything in use reads its Secret."""
    if current.service.spec.database.embedded is not None:
        return True
    name = postgres.database_name(current.service)
    needs = map(database, current.in_use)
    return current.snapshot.database is not None and any(
        need is not None and need.reference.name == name for need in needs
    )


def config_maps(current: Pass) -> frozenset[str]:
    """Return the names of the ConfigMaps that pods read, and of the copies of revisions in use.

    They include the ConfigMap with the issuers of tokens: without it no pod could start again.
    """
    needs = (need.reference for reader in current.in_use for need in named(reader))
    status = current.snapshot.before if current.plan is None else current.plan.status
    hashes = (
        status.stable,
        status.canary,
        status.revision if current.plan is None else current.plan.stable,
    )
    copies = (current.known[found].copy for found in hashes if found in current.known)
    trusted = [found for found in map(auth_config_of, current.in_use) if found is not None]
    read = [need.name for need in needs if need.plural == CONFIG_MAPS]
    return frozenset((*copies, *trusted, *read))


def egress(
    current: Pass, running: Iterable[Running], policy: Object | None, issuers: Iterable[int]
) -> Egress | None:
    """Return the ports to which everything in use connects.

    None means that a port is unknown and no policy exists yet.

    Args:
        current: the pass.
        running: the revisions that the tracks should run.
        policy: the live NetworkPolicy; its ports stay open until no pod is left that may have read
            another address.
        issuers: the ports of the issuers whose tokens are accepted.

    """
    name, contents = postgres.database_name(current.service), current.snapshot.contents
    own, embedded, known, ports = uses_embedded(current), False, True, set(issuers)
    for reader in current.in_use:
        need, collector = database(reader), collector_port(reader)
        if collector is not None:
            ports.add(collector)
        if need is None:
            continue
        if own and need.reference.name == name:
            embedded = True
            continue
        url = text(need, contents)
        if url is None:
            known = False
        else:
            ports.update(database_ports(url))
    if policy is None:
        return Egress(tuple(sorted(ports)), embedded) if known else None
    if not (known and _all_current(current, running)):
        ports |= open_ports(policy)
    return Egress(tuple(sorted(ports)), embedded)


def _all_current(current: Pass, running: Iterable[Running]) -> bool:
    """Whether every pod has the content that its revision reads now."""
    content = {(found.revision.hash, found.content) for found in running}
    return all(
        (_said(pod, "labels", REVISION), _said(pod, "annotations", CONFIG_HASH)) in content
        for pod in current.snapshot.pods
    )


def _said(pod: Object, field: str, name: str) -> str | None:
    found: str | None = (pod["metadata"].get(field) or {}).get(name)
    return found
