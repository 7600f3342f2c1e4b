"""The only writer of status, which also publishes its changes as Events and metrics.

A rollout continues from `status.rollout`. So if the API server refuses a status, its rollout is
kept here until it is written or somebody else writes another status. Without this, a canary that
was rolled back would begin anew.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from orders_operator.api.spec import API_VERSION, KIND, PLURAL
from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.client.kube import path
from orders_operator.objects import Key, Object
from orders_operator.reconcile import summary
from orders_operator.reconcile.allowance import EVENTS_SECONDS, STATUS_SECONDS, Allowance
from orders_operator.reconcile.events import distinct, event
from orders_operator.reconcile.observed import Observed
from orders_operator.reconcile.queue import backoff

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube
    from orders_operator.telemetry.metrics import Metrics

STATUS_MANAGER: Final = "orders-operator-status"
_AGAIN_SECONDS: Final = 30.0
"""The longest wait before a refused status is written again."""

log = logging.getLogger("orders_operator.reconcile")


class _Unsaid(Struct, frozen=True):
    """A refused status, the live one, and how often it was refused in a row."""

    uid: str
    before: Object
    after: Object
    times: int


class Report:
    """Writes the status of OrderServices, their metrics and their Events."""

    def __init__(
        self, kube: "Kube", metrics: "Metrics", instance: str, now: Callable[[], datetime]
    ) -> None:
        """Keep the collaborators.

        Args:
            kube: the cluster.
            metrics: has a gauge of each condition.
            instance: this process' name, in Events.
            now: the time, for conditions and Events.

        """
        self._kube = kube
        self._metrics = metrics
        self._instance = instance
        self._now = now
        self._unsaid: dict[Key, _Unsaid] = {}

    def told(self, key: Key, resource: Object) -> Object:
        """Return a resource with the rollout of its refused status, if it has one."""
        kept, there = self._unsaid.get(key), resource.get("status") or {}
        if kept is None:
            return resource
        if (kept.uid, kept.before) != (resource["metadata"]["uid"], there):
            self.forget(key)
            return resource
        return {**resource, "status": {**there, "rollout": kept.after.get("rollout")}}

    def forget(self, key: Key) -> None:
        """Forget the refused status of a resource."""
        self._unsaid.pop(key, None)

    async def __call__(self, key: Key, resource: Object, observed: Observed) -> float | None:
        """Write the status if it changed, and post Events for its transitions.

        Args:
            key: the namespace and name of the resource.
            resource: the resource as `told` returned it.
            observed: the observed state.

        Returns:
            The seconds after which to write it again, if it was refused; else None.

        Raises:
            KubeError: the API server is away.

        """
        last, kept = resource.get("status") or {}, self._unsaid.get(key)
        before = last if kept is None else kept.before
        after = summary.summarise(observed, last, self._now())
        self._metrics.conditions(key, summary.statuses(after))
        self._metrics.rollout(key, after.get("rollout") or {})
        if after == before:
            self.forget(key)
            return None
        try:
            await self._write(key, after)
        except KubeError as error:
            if error.reason is ErrorReason.NOT_FOUND:  # it has been deleted meanwhile
                return None
            if error.lost:
                raise
            self._metrics.errors.labels(error.reason).inc()
            log.warning("the status was not written: %s", error)
            times = 1 if kept is None else kept.times + 1
            self._unsaid[key] = _Unsaid(resource["metadata"]["uid"], before, after, times)
            return min(_AGAIN_SECONDS, backoff(times))
        self.forget(key)
        await self._tell(resource, before, after)
        return None

    async def _write(self, key: Key, status: Object) -> None:
        namespace, name = key
        await self._kube.apply(
            PLURAL,
            {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "metadata": {"namespace": namespace, "name": name},
                "status": status,
            },
            manager=STATUS_MANAGER,
            subresource="status",
            seconds=STATUS_SECONDS,
        )

    async def _tell(self, resource: Object, before: Object, after: Object) -> None:
        """Post the Events of a change of status; one that is refused is only logged."""
        allowance = Allowance(EVENTS_SECONDS)
        for transition in distinct(summary.transitions(before, after)):
            log.info("%s: %s %s", transition.type, transition.reason, transition.message)
            made = event(resource, transition, self._instance, self._now())
            where = path("events.k8s.io/v1", "events", resource["metadata"]["namespace"])
            try:
                with allowance.share() as seconds:
                    await self._kube.request("POST", where, body=made, seconds=seconds)
            except KubeError as error:
                log.warning("the Event was not written: %s", error)
