"""Observe: collect the state after everything was applied and pruned."""

from orders_operator.api.conditions import Reason
from orders_operator.reconcile.condition_states import ordered
from orders_operator.reconcile.converge import retained_claim
from orders_operator.reconcile.database_pod import database_failure
from orders_operator.reconcile.in_use import uses_embedded
from orders_operator.reconcile.observed import Observed
from orders_operator.reconcile.reconcile_pass import POD, Pass
from orders_operator.reconcile.rollout_step import tracks_of
from orders_operator.resources import postgres
from orders_operator.resources.content import content_hash, missing, value
from orders_operator.resources.expose import url
from orders_operator.resources.kinds import HTTP_ROUTE, SERVICE_MONITOR
from orders_operator.resources.labels import STABLE, track_selector
from orders_operator.resources.references import SECRETS, everything, named
from orders_operator.rollout.pods import Failure


async def observe(current: Pass) -> None:
    """Collect everything from which the status is made."""
    spec, namespace, name = current.service.spec, *current.key
    if current.invalid is not None:
        current.observed = Observed(
            generation=current.service.metadata.generation,
            invalid=current.invalid,
            tracks=await tracks_of(current),
            rollout=None if current.plan is None else current.plan.status,
            hidden=_hidden(current),
        )
        return
    current.observed = Observed(
        generation=current.service.metadata.generation,
        failures=ordered([*current.failures, *_lost(current)]),
        tracks=await tracks_of(current),
        rollout=None if current.plan is None else current.plan.status,
        absent=_absent(current),
        monitoring=spec.monitoring.enabled,
        migrations=spec.migrations.enabled,
        image=spec.image,
        url=url(spec, namespace, name),
        selector=_listed(track_selector(current.service, STABLE)),
        secrets_hash=_secrets_hash(current),
        retained_claim=retained_claim(current),
        autoscaled=current.autoscaled,
        database=await database_failure(current),
        hidden=_hidden(current),
        begun=current.choice.going is not None
        and current.choice.going.hash == current.choice.wanted.hash,
    )
    for failure in current.observed.failures:
        current.context.metrics.errors.labels(failure.reason).inc()


def _hidden(current: Pass) -> bool:
    """Whether the pods, or a Deployment, could not be read."""
    return POD in current.snapshot.unknown or current.snapshot.children.any_unread("Deployment")


def _lost(current: Pass) -> list[Failure]:
    """Return the missing Secrets that the stable revision reads and the wanted one does not.

    They hold nothing back; but a pod that starts again would fail.
    """
    status = current.snapshot.before if current.plan is None else current.plan.status
    stable = current.known.get(status.stable or "")
    if stable is None:
        return []
    secrets = [need for need in everything(stable.template) if need.reference.plural == SECRETS]
    own = (
        postgres.database_name(current.service) if uses_embedded(current) else None
    )  # reported already
    unread = current.snapshot.children.unreadable
    needs = [need for need in secrets if need.reference.name != own and not unread(need.reference)]
    texts = missing(needs, current.snapshot.contents)
    return [
        Failure(Reason.SECRET_MISSING, f"{text}, which the stable revision {stable.hash} reads")
        for text in texts
        if text not in current.choice.missing
    ]


def _secrets_hash(current: Pass) -> str:
    """Return the hash of what the wanted revision reads; empty while some of it is missing."""
    if current.choice.missing:
        return ""
    needs = named(current.choice.wanted.template)
    return content_hash({need: value(need, current.snapshot.contents) for need in needs})


def _absent(current: Pass) -> tuple[str, ...]:
    """Return the optional APIs that the spec asks for and the cluster does not serve."""
    spec = current.service.spec
    asked = []
    if spec.monitoring.enabled:
        asked.append(SERVICE_MONITOR.api_version)
    if spec.expose.http_route is not None:
        asked.append(HTTP_ROUTE.api_version)
    return tuple(api for api in asked if api not in current.snapshot.served)


def _listed(labels: dict[str, str]) -> str:
    """Return labels in the form that the scale subresource requires."""
    return ",".join(f"{label}={value}" for label, value in sorted(labels.items()))
