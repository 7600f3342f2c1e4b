"""Who else changes the objects of a service: policies that stamp, inject and rewrite."""

from typing import Final

import pytest

from tests.helpers.apiserver.mutating_policies import MIRROR, SIDECAR, STAMP, policy
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World
from tests.helpers.apiserver.track_metrics import traffic

WAYS = [(STAMP,), (SIDECAR,), (SIDECAR, STAMP)]
EMBEDDED: Final[dict[str, dict[str, str]]] = {"embedded": {}}
DATABASE = ("v1", "pods", f"{NAME}-postgresql-0")


async def uids(world: World) -> set[str]:
    """Return the uids of the service's pods, and of the database's."""
    found = [*await world.pods(), await world.get(*DATABASE)]
    return {it["metadata"]["uid"] for it in found}


@pytest.mark.parametrize("expressions", WAYS, ids=["stamp", "sidecar", "both"])
async def test_a_policy_that_changes_templates_makes_no_rolls(
    world: World, expressions: tuple[str, ...]
) -> None:
    """The pods that come first stay, whatever process looks at them and how often."""
    async with policy(world, *expressions):
        await world.declare(database=EMBEDDED, replicas=2)
        await world.settle()
        before = await uids(world)
        for _ in range(3):
            await world.settle()
        world.restart()
        await world.settle()
        assert before == await uids(world)
        assert ("True", "Available") == await world.condition("Ready")


@pytest.mark.parametrize("expressions", WAYS, ids=["stamp", "sidecar", "both"])
async def test_a_rollout_beside_such_a_policy_is_one(
    world: World, expressions: tuple[str, ...]
) -> None:
    """A new image replaces each pod once."""
    async with policy(world, *expressions):
        await world.declare(replicas=2)
        await world.settle()
        await world.change(image=NEXT)
        await world.settle()
        assert [NEXT, NEXT] == await world.images()
        assert "Stable" == (await world.rollout())["phase"]
        generation = (await world.deployment())["metadata"]["generation"]
        world.restart()
        await world.settle()
        assert generation == (await world.deployment())["metadata"]["generation"]


async def test_a_policy_that_comes_later_rolls_nothing(world: World) -> None:
    """Only what is written next is changed by it, and nothing has to be."""
    await world.declare(database=EMBEDDED)
    await world.settle()
    before = await uids(world)
    async with policy(world, SIDECAR, STAMP):
        world.restart()
        await world.settle()
        assert before == await uids(world)


async def test_a_field_that_is_rewritten_is_not_fought_over(world: World) -> None:
    """A mirror of images is taken as it is: one process applies once, and another once more."""
    async with policy(world, MIRROR):
        await world.declare(database=EMBEDDED)
        await world.settle()
        before = await uids(world)
        await world.settle()
        world.restart()
        await world.settle()
        assert before == await uids(world)
        assert [f"mirror/{IMAGE}"] == await world.images()


async def test_a_sidecar_that_another_controller_adds_stays(world: World) -> None:
    """It writes to the objects themselves, and again each time they are written; they are not."""
    await world.declare(database=EMBEDDED)
    await world.settle()
    sidecar = {"name": "backup", "image": "backup:1"}
    for plural, name in (("statefulsets", f"{NAME}-postgresql"), ("deployments", NAME)):
        where = world.url("apps/v1", plural, name)
        found = await world.kube.request("GET", where)
        template = found["spec"]["template"]
        containers = [sidecar, *template["spec"]["containers"]]
        await world.kube.merge(where, {"spec": {"template": {"spec": {"containers": containers}}}})
    await world.settle()
    before = await world.versions()
    world.restart()
    await world.settle()
    assert before == await world.versions()
    [first, _] = (await world.deployment())["spec"]["template"]["spec"]["containers"]
    assert "backup" == first["name"]
    assert ("True", "Available") == await world.condition("Ready")


async def test_what_is_changed_by_hand_is_set_right_beside_a_policy(world: World) -> None:
    """A policy's stamp does not hide that a field of ours is another."""
    async with policy(world, STAMP):
        await world.declare()
        await world.settle()
        where = world.url("apps/v1", "deployments", NAME)
        await world.kube.merge(where, {"spec": {"replicas": 5}})
        await world.settle()
        assert 1 == (await world.deployment())["spec"]["replicas"]


async def test_a_canary_is_compared_by_its_own_container(world: World) -> None:
    """A sidecar that comes first, with a port called `metrics`, is not what is read."""
    rollout = {
        "strategy": "Canary",
        "canary": {
            "steps": [{"weight": 50, "duration": "5s"}],
            "analysis": {"interval": "5s", "minRequests": 10},
        },
    }
    async with policy(world, SIDECAR), traffic(world.kubelet) as served:
        served.failing = {NEXT}
        await world.declare(rollout=rollout)
        await world.settle()
        await world.change(image=NEXT)
        await world.settle()
        for _ in range(2):
            world.clock.wait(5)
            await world.settle()
        failed = (await world.rollout())["failed"]
        assert "AnalysisFailed" == failed["reason"]
        assert [IMAGE] == await world.images()
