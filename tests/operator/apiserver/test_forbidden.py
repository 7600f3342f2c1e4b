"""An operator that has no right to a kind."""

import pytest

from tests.helpers.apiserver.api_server import OPERATOR, ApiServer
from tests.helpers.apiserver.operator_namespace import IMAGE, NEXT, World
from tests.helpers.apiserver.refusals import allow_all_but
from tests.helpers.apiserver.running_leader import (
    UNCLOSED,
    becomes,
    is_condition,
    is_rolled_out,
    working,
)

INGRESS = {"ingress": {"host": "orders.test"}}

pytestmark = UNCLOSED


async def test_a_kind_that_is_forbidden_and_not_used(
    world: World, apiserver: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no fault, until a spec uses it; then that is told, and all else goes on."""
    await allow_all_but(world, "ingresses")
    await world.declare()
    monkeypatch.setenv("KUBECONFIG", str(apiserver.kubeconfig(OPERATOR)))
    async with working(world.namespace):
        await becomes(world, is_rolled_out(world), within=40)
        await world.change(expose=INGRESS, image=NEXT, replicas=2)
        await becomes(world, is_condition(world, "Degraded", "True", "ApplyFailed"))
        assert "ingresses" in (await world.said("Degraded"))["message"]

        async def two() -> bool:
            return await world.images() == [IMAGE, IMAGE]

        await becomes(world, two)
        await world.change(expose={"ingress": None})
        await becomes(world, is_rolled_out(world))
        assert [NEXT, NEXT] == await world.images()
