"""The CRD that the chart's hooks apply and delete."""

import asyncio
import threading
from typing import Any

import pytest

from orders_operator import definition
from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.kube import Kube
from tests.apiserver.world import NAME, World

CRD = ("apiextensions.k8s.io/v1", "customresourcedefinitions")
CRD_NAME = "orderservices.orders.dev"


async def test_one_that_is_being_deleted_is_made_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It still says that it is established; but it is not the one that stays."""
    await world.declare()
    where = world.url(API_VERSION, PLURAL, NAME)
    await world.kube.merge(where, {"metadata": {"finalizers": ["orders.test/held"]}})
    before = await world.kube.get(*CRD, None, CRD_NAME)
    assert 0 == await asyncio.to_thread(definition.delete)
    asked = threading.Event()
    request = Kube.request

    async def noted(kube: Kube, method: str, url: str, *how: Any, **more: Any) -> Any:
        answer = await request(kube, method, url, *how, **more)
        if CRD[1] in url:
            asked.set()
        return answer

    monkeypatch.setattr(Kube, "request", noted)
    applying = asyncio.ensure_future(asyncio.to_thread(definition.apply))
    assert await asyncio.to_thread(asked.wait, 20)
    await world.kube.merge(where, {"metadata": {"finalizers": None}})
    assert 0 == await applying
    after = await world.kube.get(*CRD, None, CRD_NAME)
    assert before is not None
    assert after is not None
    assert before["metadata"]["uid"] != after["metadata"]["uid"]
    assert "deletionTimestamp" not in after["metadata"]
