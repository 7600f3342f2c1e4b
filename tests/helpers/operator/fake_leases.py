"""Leases kept as an API server keeps them: a write of an old version is refused."""

import asyncio
import copy
from collections.abc import Mapping
from typing import Any

from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.client.kube import path
from orders_operator.client.lease import API_VERSION, PLURAL
from orders_operator.objects import Object


def url(namespace: str, name: str) -> str:
    """Return where a Lease is."""
    return path(API_VERSION, PLURAL, namespace, name)


class LeaseServer:
    """All Leases of a cluster."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self._version = 0

    def holder(self, namespace: str, name: str) -> str:
        """Return who holds a Lease; empty when nobody does."""
        found = self.objects.get(url(namespace, name), {"spec": {}})
        return str(found["spec"].get("holderIdentity") or "")

    def answer(self, method: str, where: str, params: Mapping[str, str], body: Object) -> Object:
        """Answer as the API server does."""
        if method == "GET" and where == path(API_VERSION, PLURAL):
            [(kind, name)] = [it.split("=") for it in params.values()]
            assert "metadata.name" == kind
            every = self.objects.values()
            return {"items": [it for it in every if it["metadata"]["name"] == name]}
        if method == "POST":
            where = f"{where}/{body['metadata']['name']}"
            if where in self.objects:
                raise KubeError(ErrorReason.ALREADY_EXISTS, "there is one", 409)
            return self.keep(where, body)
        if where not in self.objects:
            raise KubeError(ErrorReason.NOT_FOUND, "no lease", 404)
        if method == "PUT":
            version = self.objects[where]["metadata"]["resourceVersion"]
            if body["metadata"].get("resourceVersion") != version:
                raise KubeError(ErrorReason.CONFLICT, "it changed", 409)
            return self.keep(where, body)
        return self.objects[where]

    def keep(self, where: str, body: Object) -> Object:
        """Store a Lease under a new version."""
        self._version += 1
        metadata = body["metadata"] | {"resourceVersion": str(self._version)}
        self.objects[where] = copy.deepcopy(body | {"metadata": metadata})
        return self.objects[where]


class LeaseClient:
    """The way of one process to that API server."""

    def __init__(self, server: LeaseServer) -> None:
        self.server = server
        self.down = False
        self.hung = False
        self.forbidden: set[str] = set()
        """What is refused: the paths of namespaces, or of the list."""

    async def request(
        self,
        method: str,
        where: str,
        params: Mapping[str, str] | None = None,
        body: Object | None = None,
        *,
        tries: int = 1,
    ) -> Any:
        """Answer after a moment, or fail as a network does."""
        assert 1 == tries
        if self.hung:
            await asyncio.sleep(1000)
        if self.down:
            raise KubeError(ErrorReason.UNAVAILABLE, "down")
        await asyncio.sleep(0.01)
        if any(where.startswith(it) for it in self.forbidden):
            raise KubeError(ErrorReason.FORBIDDEN, f"cannot {method.lower()} {where}", 403)
        return copy.deepcopy(self.server.answer(method, where, params or {}, body or {}))
