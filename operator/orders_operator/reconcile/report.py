"""The only writer of status, which also tells of its changes in Events and metrics."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from orders_operator.api.spec import API_VERSION, KIND, PLURAL
from orders_operator.client.errors import Failure, KubeError
from orders_operator.client.kube import path
from orders_operator.reconcile import summary
from orders_operator.reconcile.allowance import STATUS_SECONDS
from orders_operator.reconcile.events import distinct, event
from orders_operator.reconcile.observed import Observed

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube
    from orders_operator.telemetry.metrics import Metrics

Object = dict[str, Any]
Key = tuple[str, str]
"""Namespace and name."""

STATUS_MANAGER: Final = "orders-operator-status"
_EVENT_SECONDS: Final = 2.0

log = logging.getLogger("orders_operator.reconcile")


class Report:
    """Says of an OrderService what was seen."""

    def __init__(
        self, kube: "Kube", metrics: "Metrics", instance: str, now: Callable[[], datetime]
    ) -> None:
        """
        Keep where it is said.

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

    async def __call__(self, key: Key, resource: Object, seen: Observed) -> None:
        """Write the status if it says anything new, and tell of what became different."""
        before = resource.get("status") or {}
        after = summary.summarise(seen, before, self._now())
        self._metrics.conditions(key, summary.statuses(after))
        self._metrics.rollout(key, after.get("rollout") or {})
        if after == before:
            return
        namespace, name = key
        try:
            await self._kube.apply(
                PLURAL,
                {
                    "apiVersion": API_VERSION,
                    "kind": KIND,
                    "metadata": {"namespace": namespace, "name": name},
                    "status": after,
                },
                manager=STATUS_MANAGER,
                subresource="status",
                seconds=STATUS_SECONDS,
            )
        except KubeError as error:
            if error.reason is Failure.NOT_FOUND:  # it was deleted meanwhile
                return
            raise
        await self._tell(resource, before, after)

    async def _tell(self, resource: Object, before: Object, after: Object) -> None:
        """Post the Events of a change of status; one that is refused is only logged."""
        for transition in distinct(summary.transitions(before, after)):
            log.info("%s: %s %s", transition.type, transition.reason, transition.message)
            made = event(resource, transition, self._instance, self._now())
            where = path("events.k8s.io/v1", "events", resource["metadata"]["namespace"])
            try:
                await self._kube.request("POST", where, body=made, seconds=_EVENT_SECONDS)
            except KubeError as error:
                log.warning("no Event: %s", error)
