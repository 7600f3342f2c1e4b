"""A status that the API server refuses: what it says of the rollout holds all the same."""

import pytest

from orders_operator.client.errors import ErrorReason, KubeError
from tests.helpers.apiserver.fake_kubelet import Fate
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World
from tests.helpers.apiserver.refusals import answering

STATUS = f"/orderservices/{NAME}/status"


async def canary(world: World) -> None:
    """Have a canary beside the stable pod."""
    await world.canary()
    assert [IMAGE, NEXT] == await world.images()


@pytest.mark.parametrize("status", [403, 503])
async def test_a_canary_that_went_back_does_not_begin_anew(world: World, status: int) -> None:
    """It is given up once; the status is tried again, ever more seldom, and says so at last."""
    await canary(world)
    world.kubelet.fates[NEXT] = Fate.CRASHING
    await world.calm()
    with answering(world, status, STATUS, method="PATCH"):
        waits = []
        for _ in range(9):
            waits.append(await world.reconcile())
            await world.calm()
            assert [IMAGE] == await world.images()
        assert [0.5, 1, 2, 4, 8, 16, 30, 30, 30] == waits
        assert "Canary" == (await world.rollout())["phase"]
    await world.settle()
    rollout = await world.rollout()
    assert ("RolledBack", "PodCrashing") == (rollout["phase"], rollout["failed"]["reason"])
    assert ("True", "PodCrashing") == await world.condition("Degraded")
    assert ("Warning", "PodCrashing") in await world.events()


async def test_a_status_that_somebody_else_wrote_counts(world: World) -> None:
    """Another leader went on from what is there, and so does this one, once it comes back."""
    await canary(world)
    world.kubelet.fates[NEXT] = Fate.CRASHING
    await world.calm()
    with answering(world, 503, STATUS, method="PATCH"):
        await world.reconcile()
    first = world.restart()
    world.kubelet.fates.clear()
    await world.settle()
    assert "Canary" == (await world.rollout())["phase"]
    await first.reconcile(world.key)
    await world.settle()
    assert "Canary" == (await world.rollout())["phase"]
    assert [IMAGE, NEXT] == await world.images()


async def test_an_api_server_that_is_away_ends_the_pass(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is no refusal: the queue tries again."""
    await world.declare(paused=True)

    async def away(*_: object, **__: object) -> None:
        raise KubeError(ErrorReason.UNAVAILABLE, "nobody is there")

    monkeypatch.setattr(world.operator.kube, "apply", away)
    with pytest.raises(KubeError):
        await world.reconcile()
