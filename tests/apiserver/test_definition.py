"""The CRD that the chart's hooks apply and delete."""

import asyncio

from orders_operator import definition
from orders_operator.api.spec import API_VERSION, PLURAL
from tests.apiserver.world import NAME, World

CRD = ("apiextensions.k8s.io/v1", "customresourcedefinitions")
CRD_NAME = "orderservices.orders.dev"


async def test_one_that_is_being_deleted_is_made_anew(world: World) -> None:
    """It still says that it is established; but it is not the one that stays."""
    await world.declare()
    where = world.url(API_VERSION, PLURAL, NAME)
    await world.kube.merge(where, {"metadata": {"finalizers": ["orders.test/held"]}})
    before = await world.kube.get(*CRD, None, CRD_NAME)
    assert 0 == await asyncio.to_thread(definition.delete)
    applying = asyncio.ensure_future(asyncio.to_thread(definition.apply))
    await world.kube.merge(where, {"metadata": {"finalizers": None}})
    assert 0 == await applying
    after = await world.kube.get(*CRD, None, CRD_NAME)
    assert before is not None
    assert after is not None
    assert before["metadata"]["uid"] != after["metadata"]["uid"]
    assert "deletionTimestamp" not in after["metadata"]
