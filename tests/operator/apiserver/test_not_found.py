"""A 404 that says nothing of an object takes nothing away: of a proxy, or of a broken API."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from orders_operator.client import kube
from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.resources.kinds import HTTP_ROUTE
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World
from tests.helpers.apiserver.optional_kinds import served

ROUTE = {"parentRefs": [{"name": "gateway"}], "hostnames": ["orders.test"]}


ENDS = (f"/orderservices/{NAME}", "/apis", f"/apis/{HTTP_ROUTE.api_version}")
"""What a pass cannot do without."""
TOLD = ("/pods", "/statefulsets", "/controllerrevisions", "/secrets/database")


async def test_nothing_follows_from_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pass ends or says so; nothing is pruned, and no canary changes its size."""
    monkeypatch.setattr(kube, "BACKOFF_SECONDS", (0.0,))
    async with served(world.kube, HTTP_ROUTE):
        world.restart()
        await world.declare(
            replicas=2,
            database={"embedded": {}},
            expose={"httpRoute": ROUTE},
            rollout={"strategy": "Canary"},
        )
        await world.settle()
        leaving = {"embedded": None, "secretRef": {"name": "database"}}
        await world.change(image=NEXT, database=leaving)
        await world.settle()
        assert [IMAGE, IMAGE, NEXT] == await world.images()
        before = await world.versions()
        for end in ENDS:
            world.restart()
            monkeypatch.setattr(world.operator.kube._http, "request", lost(world, end))
            with pytest.raises(KubeError) as caught:
                await world.reconcile()
            assert (end, ErrorReason.REFUSED) == (end, caught.value.reason)
            assert (end, before) == (end, await world.versions())
        images = await world.images()
        for end in TOLD:
            world.restart()
            monkeypatch.setattr(world.operator.kube._http, "request", lost(world, end))
            await world.settle()
            assert (end, "ApplyFailed") == (end, (await world.said("Degraded"))["reason"])
            assert "404" in (await world.said("Degraded"))["message"]
            assert (end, before.keys()) == (end, (await world.versions()).keys())
            assert (end, images) == (end, await world.images())


def lost(world: World, end: str) -> Callable[..., Awaitable[httpx2.Response]]:
    """Return what answers GETs of URLs that end so like a proxy that knows nothing."""
    ask = world.operator.kube._http.request

    async def request(method: str, url: str, **how: Any) -> httpx2.Response:
        if method == "GET" and url.endswith(end):
            return httpx2.Response(404, text="404 page not found")
        return await ask(method, url, **how)

    return request
