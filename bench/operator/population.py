"""Fills the cluster: OrderServices with their pods, and neighbours that concern no one.

The controllers from the API server's tests give Deployments their pods and make the pods ready.
"""

import asyncio
import base64
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from orders_operator.api.spec import API_VERSION, KIND, PLURAL
from orders_operator.objects import Object
from tests.helpers.apiserver.deployment_controller import Deployments
from tests.helpers.apiserver.fake_kubelet import Kubelet
from tests.helpers.apiserver.recording_client import Recording

IMAGE: Final = "orders/service:1"
PER_NAMESPACE: Final = 50
NEIGHBOUR_BYTES: Final = 100_000
_AT_ONCE: Final = 8


class Population:
    """The objects in the cluster, and functions that make more of them."""

    def __init__(self, kube: Recording) -> None:
        """Begin with an empty cluster."""
        self._kube = kube
        self.keys: list[tuple[str, str]] = []
        """Namespace and name of every OrderService."""
        self._controllers: list[Callable[[], Awaitable[None]]] = []

    async def declare(self, number: int) -> None:
        """Have so many OrderServices in all, each with a Secret of its own, fifty a namespace."""
        for begin in range(len(self.keys), number, PER_NAMESPACE):
            namespace = f"team-{begin // PER_NAMESPACE}"
            await self._namespace(namespace)
            self._controllers.append(Deployments(self._kube, namespace).sync)
            self._controllers.append(Kubelet(self._kube, namespace).sync)
            names = [f"shop-{it}" for it in range(min(PER_NAMESPACE, number - begin))]
            await _each(self._declare(namespace, name) for name in names)
            self.keys += [(namespace, name) for name in names]

    async def settle(self) -> int:
        """Have controllers and kubelet do one step; return how much they changed."""
        await _each(sync() for sync in self._controllers)
        return len(self._kube.changed())

    async def neighbours(self, number: int) -> None:
        """Have so many Secrets and ConfigMaps; of the latter, half as `kubectl apply` makes them.

        That keeps all of an object in an annotation, so their metadata is as large as they are.
        """
        for begin in range(0, number, 500):
            namespace = f"neighbours-{begin // 500}"
            await self._namespace(namespace)
            these = range(min(500, number - begin))
            await _each(
                self._kube.create(plural, make(number), namespace=namespace)
                for number in these
                for plural, make in (("secrets", _secret), ("configmaps", _config))
            )

    async def _namespace(self, name: str) -> None:
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await self._kube.create("namespaces", made)

    async def _declare(self, namespace: str, name: str) -> None:
        metadata = {"name": f"{name}-database"}
        data = {"url": "postgresql://orders:secret@database/orders"}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}
        await self._kube.create("secrets", secret, namespace=namespace)
        spec = {
            "image": IMAGE,
            "replicas": 2,
            "database": {"secretRef": {"name": metadata["name"]}},
        }
        service = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": name},
            "spec": spec,
        }
        await self._kube.create(PLURAL, service, namespace=namespace)


async def _each(work: Iterable[Awaitable[Any]]) -> None:
    """Do it all, a few at a time."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(it: Awaitable[Any]) -> None:
        async with room:
            await it

    await asyncio.gather(*map(one, work))


def _secret(number: int) -> Object:
    metadata = {"name": f"neighbour-{number}"}
    content = {"content": base64.b64encode(os.urandom(NEIGHBOUR_BYTES)).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": content}


def _config(number: int) -> Object:
    metadata: Object = {"name": f"neighbour-{number}"}
    content = base64.b85encode(os.urandom(NEIGHBOUR_BYTES * 4 // 5)).decode()
    if number % 2:
        applied = {"kubectl.kubernetes.io/last-applied-configuration": content}
        metadata["annotations"] = applied
    data = {"content": content}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
