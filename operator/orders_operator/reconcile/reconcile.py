"""One idempotent reconcile: observe, declare, apply, prune, and say what came of it.

It may be run at any time, any number of times, by any replica; what it keeps between two runs only
saves work. Each step returns what it found, and only `summary` makes conditions of it.
"""

import logging
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from orders_operator.api.conditions import Reason
from orders_operator.api.decode import InvalidSpec, decode
from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.errors import Failure, KubeError
from orders_operator.reconcile import references
from orders_operator.reconcile.address import url
from orders_operator.reconcile.analysis import Windows
from orders_operator.reconcile.children import Children, Owner
from orders_operator.reconcile.delivery import Delivery, begun, kept_as_is
from orders_operator.reconcile.memory import Memory
from orders_operator.reconcile.observed import Observed, Problem
from orders_operator.reconcile.report import Report
from orders_operator.reconcile.verdicts import ordered
from orders_operator.resources import postgres
from orders_operator.resources.desired import Facts, desired, splits_requests
from orders_operator.resources.kinds import CONTROLLER_REVISION, HTTP_ROUTE, SERVICE_MONITOR
from orders_operator.resources.labels import DATABASE, STABLE, track_selector
from orders_operator.resources.pod import template
from orders_operator.resources.revision import revision_of

if TYPE_CHECKING:
    from orders_operator.api.spec import OrderService
    from orders_operator.client.kube import Kube
    from orders_operator.reconcile.discovery import Apis
    from orders_operator.reconcile.index import Index, Reference
    from orders_operator.resources.kinds import Kind
    from orders_operator.telemetry.metrics import Metrics
    from orders_operator.telemetry.tracing import Tracing

Object = dict[str, Any]
Key = tuple[str, str]
"""Namespace and name."""

CONFLICT_SECONDS: Final = 30.0
"""When to look again whether somebody else's object is still in the way: it wakes nobody."""
_UNTOUCHED: Final = frozenset({"Deployment", "ControllerRevision", "NetworkPolicy"})
"""What stays as it is while a Secret is missing: running pods go on as they are."""
_UNKNOWN: Final = frozenset({"NetworkPolicy"})
"""What stays as it is even if the revision is known: it has the port of the database's URL."""
_PASSWORD_BYTES: Final = 24

log = logging.getLogger("orders_operator.reconcile")


class Reconciler:
    """Reconciles one OrderService at a time, by key."""

    def __init__(  # noqa: PLR0913  its collaborators, each once
        self,
        kube: "Kube",
        kinds: Sequence["Kind"],
        apis: "Apis",
        index: "Index",
        metrics: "Metrics",
        tracing: "Tracing",
        *,
        instance: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """
        Keep the collaborators.

        Args:
            kube: the cluster.
            kinds: all kinds of children.
            apis: which optional ones the cluster has.
            index: where what specs name is noted.
            metrics: what is counted.
            tracing: what records spans.
            instance: this process' name, in Events.
            now: the time, for conditions and Events.

        """
        self._kube = kube
        self._kinds = kinds
        self._apis = apis
        self._index = index
        self._metrics = metrics
        self._tracing = tracing
        self._report = Report(kube, metrics, instance, now)
        self._memory = Memory()
        self._now = now
        self._delivery = Delivery(kube, Windows(now))
        self._uids: dict[Key, str] = {}

    async def __call__(self, key: Key) -> float | None:
        """Reconcile; return the seconds after which to do so again, if nothing happens before.

        Raises:
            KubeError: the API server is away or refuses; the queue tries again.

        """
        started = time.perf_counter()
        try:
            with self._tracing.reconcile(*key):
                later = await self._logged(key)
        finally:
            self._metrics.duration.observe(time.perf_counter() - started)
        self._metrics.reconciles.labels("success" if later is None else "requeued").inc()
        return later

    async def _logged(self, key: Key) -> float | None:
        """Reconcile; an error is counted and logged while its ids are known."""
        try:
            return await self._reconcile(key)
        except KubeError as error:
            if error.reason is Failure.TERMINATING:
                return None
            self._failed(error.reason)
            log.warning("not reconciled: %s", error)
            raise
        except Exception:
            self._failed("Internal")
            log.exception("not reconciled")
            raise

    def _failed(self, reason: str) -> None:
        self._metrics.errors.labels(reason).inc()
        self._metrics.reconciles.labels("error").inc()

    async def _reconcile(self, key: Key) -> float | None:
        namespace, name = key
        resource = await self._kube.get(API_VERSION, PLURAL, namespace, name)
        if resource is None or resource["metadata"].get("deletionTimestamp"):
            self._forget(key)  # owner references delete the children
            return None
        uid = resource["metadata"]["uid"]
        if self._uids.get(key, uid) != uid:  # deleted and made again
            self._forget(key)
        self._uids[key] = uid
        generation = int(resource["metadata"]["generation"])
        try:
            service = decode(resource)
        except InvalidSpec as error:
            seen = Observed(generation=generation, invalid=str(error))
            await self._report(key, resource, seen)
            return None
        self._index.set(key, (it.reference for it in references.needed(service)))
        if service.spec.paused:
            await self._report(key, resource, Observed(generation=generation, paused=True))
            return None
        seen, later = await self._converge(service, resource)
        await self._report(key, resource, seen)
        return later

    def _forget(self, key: Key) -> None:
        self._index.drop(key)
        self._metrics.forget(key)
        self._delivery.forget(key)
        self._memory.forget(self._uids.pop(key, ""))

    async def _converge(
        self, service: "OrderService", resource: Object
    ) -> tuple[Observed, float | None]:
        """Make the children what they should be, and look at what came of it."""
        spec, metadata = service.spec, resource["metadata"]
        owner = Owner(metadata["namespace"], metadata["name"], metadata["uid"])
        served = await self._apis.served()
        kinds = [it for it in self._kinds if not it.optional or it.api_version in served]
        children = Children(self._kube, self._metrics, owner, kinds, self._memory)
        await children.look()
        wanted = references.needed(service)
        named = {it.reference: await self._named(owner, it.reference) for it in wanted}
        lacking = references.missing(wanted, named)
        facts, config_hash = await self._facts(service, children, named, served)
        wanted_now = revision_of(template(service, config_hash))
        kept = children.every(CONTROLLER_REVISION)
        # Without its Secrets nothing new is begun, and what was begun can still be called back.
        revision = begun(resource, kept) if lacking else wanted_now
        later = None
        if revision is None:
            found, placement = None, kept_as_is(resource, wanted_now)
        else:
            placement, found, later = await self._delivery.decide(
                service,
                resource,
                revision,
                kept,
                await self._delivery.look(service, children),
                exact=splits_requests(service, served),
                now=self._now(),
            )
        objects = desired(service, facts, placement)
        spared = frozenset() if not lacking else _UNTOUCHED if revision is None else _UNKNOWN
        problems = [Problem(Reason.SECRET_MISSING, "; ".join(lacking))] if lacking else []
        problems += await children.apply(
            it for it in objects if it["kind"] not in spared or _of_database(it)
        )
        await children.prune(objects, spared)
        tracks = await self._delivery.look(service, children)
        seen = Observed(
            generation=int(metadata["generation"]),
            problems=ordered(problems),
            tracks=tracks,
            rollout=None if found is None else found.status,
            absent=_absent(service, served),
            monitoring=spec.monitoring.enabled,
            migrations=spec.migrations.enabled,
            image=spec.image,
            url=url(spec, owner.namespace, owner.name),
            selector=_listed(track_selector(service, STABLE)),
            secrets_hash="" if lacking else config_hash,
        )
        for problem in seen.problems:
            self._metrics.errors.labels(problem.reason).inc()
        waits = (later, CONFLICT_SECONDS if problems else None)
        return seen, min((it for it in waits if it is not None), default=None)

    async def _facts(
        self,
        service: "OrderService",
        children: Children,
        named: "dict[Reference, Object | None]",
        served: frozenset[str],
    ) -> tuple[Facts, str]:
        """Return what is known beside the resource, and the hash of all that the pods read.

        The embedded database's Secret is made first, as the pods have a hash of it.
        """
        source = references.database_secret(service)
        made = None
        if service.spec.database.embedded is not None:
            live = await children.mine("v1", "Secret", source.reference.name)
            made = postgres.secret(service, secrets.token_urlsafe(_PASSWORD_BYTES), live)
            named = {**named, source.reference: made}
        database_url = references.value(named.get(source.reference), source.key or "")
        facts = Facts(
            database_ports=references.database_ports(database_url),
            password="",  # that of the Secret counts
            live_secret=made,
            apis=served,
        )
        return facts, references.config_hash(named)

    async def _named(self, owner: Owner, reference: "Reference") -> Object | None:
        return await self._kube.get("v1", reference.plural, owner.namespace, reference.name)


def _absent(service: "OrderService", served: frozenset[str]) -> tuple[str, ...]:
    """Return the optional APIs that the spec asks for and the cluster has not."""
    spec = service.spec
    asked = []
    if spec.monitoring.enabled:
        asked.append(SERVICE_MONITOR.api_version)
    if spec.expose.http_route is not None:
        asked.append(HTTP_ROUTE.api_version)
    return tuple(api for api in asked if api not in served)


def _listed(labels: dict[str, str]) -> str:
    """Return labels as the scale subresource wants them."""
    return ",".join(f"{label}={value}" for label, value in sorted(labels.items()))


def _of_database(obj: Object) -> bool:
    """Whether an object is the embedded database's: that goes on without the pods' Secrets."""
    component: str = obj["metadata"]["labels"]["app.kubernetes.io/component"]
    return component == DATABASE
