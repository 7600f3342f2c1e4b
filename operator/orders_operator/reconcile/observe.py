"""Observe: what is now, after everything was applied and pruned."""

from orders_operator.api.conditions import Reason
from orders_operator.reconcile.address import url
from orders_operator.reconcile.converge import retained_claim
from orders_operator.reconcile.database_pod import trouble_of_database
from orders_operator.reconcile.in_use import uses_embedded
from orders_operator.reconcile.observed import Observed, Problem
from orders_operator.reconcile.reconcile_pass import POD, Pass
from orders_operator.reconcile.rollout_step import tracks_of
from orders_operator.reconcile.verdicts import ordered
from orders_operator.resources import postgres
from orders_operator.resources.content import content_hash, missing, value
from orders_operator.resources.kinds import HTTP_ROUTE, SERVICE_MONITOR
from orders_operator.resources.labels import STABLE, track_selector
from orders_operator.resources.references import SECRETS, everything, named


async def observe(it: Pass) -> None:
    """Collect everything that the status is made of."""
    spec, namespace, name = it.service.spec, *it.key
    if it.invalid is not None:
        it.observed = Observed(
            generation=it.service.metadata.generation,
            invalid=it.invalid,
            tracks=await tracks_of(it),
            rollout=None if it.plan is None else it.plan.status,
            hidden=_hidden(it),
        )
        return
    it.observed = Observed(
        generation=it.service.metadata.generation,
        problems=ordered([*it.problems, *_lost(it)]),
        tracks=await tracks_of(it),
        rollout=None if it.plan is None else it.plan.status,
        absent=_absent(it),
        monitoring=spec.monitoring.enabled,
        migrations=spec.migrations.enabled,
        image=spec.image,
        url=url(spec, namespace, name),
        selector=_listed(track_selector(it.service, STABLE)),
        secrets_hash=_secrets_hash(it),
        retained_claim=retained_claim(it),
        autoscaled=it.autoscaled,
        database=await trouble_of_database(it),
        hidden=_hidden(it),
        begun=it.choice.going is not None and it.choice.going.hash == it.choice.wanted.hash,
    )
    for problem in it.observed.problems:
        it.context.metrics.errors.labels(problem.reason).inc()


def _hidden(it: Pass) -> bool:
    """Whether it is not known which pods there are, or what a Deployment has."""
    return POD in it.snapshot.unknown or it.snapshot.children.any_unread("Deployment")


def _lost(it: Pass) -> list[Problem]:
    """Return what the stable revision alone reads of Secrets and is gone.

    It holds nothing back; but a pod that starts again would fail.
    """
    status = it.snapshot.before if it.plan is None else it.plan.status
    stable = it.known.get(status.stable or "")
    if stable is None:
        return []
    secrets = [need for need in everything(stable.template) if need.reference.plural == SECRETS]
    own = postgres.database_name(it.service) if uses_embedded(it) else None  # told of already
    unread = it.snapshot.children.unreadable
    needs = [need for need in secrets if need.reference.name != own and not unread(need.reference)]
    texts = missing(needs, it.snapshot.contents)
    return [
        Problem(Reason.SECRET_MISSING, f"{text}, which the stable revision {stable.hash} reads")
        for text in texts
        if text not in it.choice.missing
    ]


def _secrets_hash(it: Pass) -> str:
    """Return the hash of what the wanted revision reads; empty while some of it is missing."""
    if it.choice.missing:
        return ""
    needs = named(it.choice.wanted.template)
    return content_hash({need: value(need, it.snapshot.contents) for need in needs})


def _absent(it: Pass) -> tuple[str, ...]:
    """Return the optional APIs that the spec asks for and the cluster has not."""
    spec = it.service.spec
    asked = []
    if spec.monitoring.enabled:
        asked.append(SERVICE_MONITOR.api_version)
    if spec.expose.http_route is not None:
        asked.append(HTTP_ROUTE.api_version)
    return tuple(api for api in asked if api not in it.snapshot.served)


def _listed(labels: dict[str, str]) -> str:
    """Return labels as the scale subresource wants them."""
    return ",".join(f"{label}={value}" for label, value in sorted(labels.items()))
