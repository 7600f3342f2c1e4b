"""One idempotent reconcile: read, choose, plan, apply, prune, observe, report.

Any replica may run it at any time, any number of times; what is kept between two passes only saves
work. Each step adds its findings to the pass, and only `report` publishes them.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orders_operator.api.decode import InvalidSpec, decode
from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.objects import Key
from orders_operator.reconcile.analysis import Windows
from orders_operator.reconcile.apply_cache import ApplyCache
from orders_operator.reconcile.choose import choose
from orders_operator.reconcile.cluster_issuer import ClusterIssuer
from orders_operator.reconcile.converge import apply, prune
from orders_operator.reconcile.observe import observe
from orders_operator.reconcile.observed import Observed
from orders_operator.reconcile.read import read, rollout_before
from orders_operator.reconcile.reconcile_pass import Context, Pass
from orders_operator.reconcile.refusals import Refusals
from orders_operator.reconcile.report import Report
from orders_operator.reconcile.retention import retain
from orders_operator.reconcile.rollout_step import plan_rollout
from orders_operator.reconcile.unreadable import serving, under_way
from orders_operator.resources.pod import template
from orders_operator.resources.references import everything

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube
    from orders_operator.reconcile.discovery import Apis
    from orders_operator.reconcile.index import Index
    from orders_operator.resources.kinds import Kind
    from orders_operator.telemetry.metrics import Metrics
    from orders_operator.telemetry.tracing import Tracing

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
        """Keep the collaborators.

        Args:
            kube: the cluster.
            kinds: all kinds of children.
            apis: the optional APIs that the cluster serves.
            index: which OrderServices name which Secrets and ConfigMaps.
            metrics: the operator's metrics.
            tracing: records a span for each reconcile.
            instance: this process' name, in Events.
            now: the time, for conditions and Events.

        """
        self._context = Context(
            kube,
            kinds,
            apis,
            index,
            metrics,
            Windows(now),
            ApplyCache(),
            Refusals(),
            ClusterIssuer(kube),
        )
        self._metrics = metrics
        self._tracing = tracing
        self._report = Report(kube, metrics, instance, now)
        self._now = now
        self._uids: dict[Key, str] = {}

    async def __call__(self, key: Key) -> float | None:
        """Reconcile; return the seconds until the next time if nothing happens before, or None.

        Raises:
            KubeError: the API server is away, or refused what the pass depends on; the queue tries
                again.

        """
        started = time.perf_counter()
        try:
            with self._tracing.reconcile(*key):
                later = await self._logged(key)
        finally:
            self._metrics.duration.observe(time.perf_counter() - started)
        self._metrics.reconciles.labels("success" if later is None else "requeued").inc()
        return later

    async def rotated(self) -> bool:
        """Return whether the keys that sign the cluster's tokens have changed.

        Raises:
            KubeError: they cannot be read.

        """
        return await self._context.issuer.refresh()

    async def _logged(self, key: Key) -> float | None:
        """Reconcile; count and log an error while the span's ids are known."""
        try:
            return await self._reconcile(key)
        except KubeError as error:
            if error.reason is ErrorReason.TERMINATING:
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
        resource = await self._context.kube.get(API_VERSION, PLURAL, namespace, name)
        if resource is not None:
            await retain(self._context.kube, resource)
        if resource is None or resource["metadata"].get("deletionTimestamp"):
            self._forget(key)  # owner references delete the children
            return None
        uid = resource["metadata"]["uid"]
        if self._uids.get(key, uid) != uid:  # deleted and created again
            self._forget(key)
        self._uids[key] = uid
        resource = self._report.told(key, resource)
        generation = int(resource["metadata"]["generation"])
        try:
            service = decode(resource)
        except InvalidSpec as error:
            rest = under_way(resource, rollout_before(resource))
            if rest is not None:
                return await self._pass(
                    Pass(self._context, rest, resource, self._now(), str(error))
                )
            tracks, hidden = await serving(self._context.kube, resource)
            observed = Observed(
                generation=generation,
                invalid=str(error),
                paused=resource["spec"].get("paused") is True,
                tracks=tracks,
                hidden=hidden,
            )
            return await self._report(key, resource, observed)
        if service.spec.paused:
            self._context.index.set(
                key, (need.reference for need in everything(template(service)))
            )
            observed = Observed(generation=generation, paused=True)
            return await self._report(key, resource, observed)
        return await self._pass(Pass(self._context, service, resource, self._now()))

    async def _pass(self, current: Pass) -> float | None:
        """Bring the children to their desired state, and report the outcome."""
        await read(current)
        await choose(current)
        await plan_rollout(current)
        objects = await apply(current)
        await prune(current, objects)
        await observe(current)
        current.wake(await self._report(current.key, current.resource, current.observed))
        return current.again

    def _forget(self, key: Key) -> None:
        self._context.index.drop(key)
        self._metrics.forget(key)
        self._context.windows.forget(key)
        self._report.forget(key)
        uid = self._uids.pop(key, "")
        self._context.cache.forget(uid)
        self._context.refusals.forget(uid)
