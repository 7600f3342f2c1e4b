"""Leaves namespaces to other releases, and takes over those that another release has left.

A namespace belongs to one release of the operator at a time (`scopes` claims it). In one that is
lost, what is under way ends, and its metrics go; in one that is won, all OrderServices are queued.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.errors import KubeError
from orders_operator.tasks import first

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube
    from orders_operator.gate import Gate
    from orders_operator.objects import Key
    from orders_operator.reconcile.queue import KeyedQueue
    from orders_operator.scopes import Scope
    from orders_operator.telemetry.metrics import Metrics

RETRY_SECONDS: Final = 1.0

log = logging.getLogger("orders_operator.leader")


class Handover:
    """Follows which release works in which namespace."""

    def __init__(
        self,
        kube: "Kube",
        scope: "Scope",
        gate: "Gate",
        metrics: "Metrics",
        queue: "KeyedQueue[Key]",
    ) -> None:
        self._kube = kube
        self._scope = scope
        self._gate = gate
        self._metrics = metrics
        self._queue = queue

    async def follow(self) -> None:
        """Stop work where another release works, and resume it where one has left."""
        left: dict[str, str] = {}
        while True:
            changed = self._scope.changed
            now = self._scope.left_out
            for namespace in now.keys() - left.keys():
                log.info("namespace %s is left to %s", namespace, now[namespace])
            lost = {
                namespace
                for namespace in self._gate.namespaces
                if not self._scope.works(namespace)
            }
            await asyncio.gather(*(self.end(namespace) for namespace in lost | now.keys()))
            back = left.keys() - now.keys()
            left = {
                **now,
                **{
                    namespace: left[namespace]
                    for namespace in back
                    if not await self._take_over(namespace)
                },
            }
            await first(
                changed.wait(), seconds=RETRY_SECONDS if left.keys() - now.keys() else None
            )

    async def end(self, namespace: str) -> None:
        """Stop work in a namespace, and drop the metrics of its resources."""
        await self._gate.end(namespace)
        for key in self._metrics.keys():  # noqa: SIM118  no mapping
            if key[0] == namespace:
                self._metrics.forget(key)

    async def _take_over(self, namespace: str) -> bool:
        """Queue the resources of a namespace that another release has left.

        Returns:
            Whether the namespace could be listed.

        """
        try:
            services = [
                metadata async for metadata in self._kube.metadata(API_VERSION, PLURAL, namespace)
            ]
        except KubeError as error:
            log.warning("cannot take over namespace %s yet: %s", namespace, error)
            return False
        log.info("namespace %s is taken over", namespace)
        for metadata in services:
            self._queue.add((namespace, metadata.name), urgent=False)
        return True
