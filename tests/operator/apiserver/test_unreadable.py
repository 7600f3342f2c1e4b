"""A spec that cannot be read while a rollout is under way: it is still judged, and goes back."""

from typing import Any

import pytest

from orders_operator.api.decode import InvalidSpec, legible
from orders_operator.api.spec import OrderService
from orders_operator.reconcile import reconcile
from orders_operator.resources.kinds import HTTP_ROUTE
from tests.helpers.apiserver.fake_kubelet import Fate
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World
from tests.helpers.apiserver.optional_kinds import served
from tests.helpers.apiserver.track_metrics import traffic


def unreadable(_: object) -> None:
    """Read nothing."""
    raise InvalidSpec("spec.replicas: it is odd")


async def begin(world: World, **rollout: object) -> None:
    """Have a revision on its way beside two pods of the stable one."""
    await world.declare(replicas=2, rollout=rollout)
    await world.settle()
    await world.change(image=NEXT)
    await world.settle()


@pytest.mark.parametrize("strategy", ["Canary", "RollingUpdate"])
async def test_a_rollout_that_fails_goes_back(
    world: World, monkeypatch: pytest.MonkeyPatch, strategy: str
) -> None:
    """Its pods crash; nothing else is changed meanwhile, and all is once it can be read."""
    world.kubelet.fates[NEXT] = Fate.STARTING
    await begin(world, strategy=strategy)
    assert NEXT in await world.images()
    monkeypatch.setattr(reconcile, "decode", unreadable)
    await world.change(replicas=5, expose={"ingress": {"host": "orders.test"}})
    await world.settle()
    assert ("True", "InvalidSpec") == await world.condition("Degraded")
    assert NEXT in await world.images()
    world.kubelet.fates[NEXT] = Fate.CRASHING
    await world.settle()
    rollout = await world.rollout()
    assert ("RolledBack", "PodCrashing") == (rollout["phase"], rollout["failed"]["reason"])
    assert [IMAGE, IMAGE] == await world.images()
    assert ("True", "InvalidSpec") == await world.condition("Degraded")
    assert set() == await world.names("networking.k8s.io/v1", "ingresses")
    monkeypatch.undo()
    await world.settle()
    assert 5 == len(await world.pods())
    assert {NAME} == await world.names("networking.k8s.io/v1", "ingresses")


async def test_a_canary_is_analysed_and_goes_no_step_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time and good windows do not promote what nobody can read; a bad window takes it back."""
    steps = [{"weight": 50, "duration": "10s"}]
    analysis = {"interval": "10s", "failureLimit": 0, "maxErrorRatio": 0.01}
    async with traffic(world.kubelet) as served:
        await begin(world, strategy="Canary", canary={"steps": steps, "analysis": analysis})
        monkeypatch.setattr(reconcile, "decode", unreadable)
        for _ in range(3):
            world.clock.wait(11)
            await world.settle()
        rollout = await world.rollout()
        assert ("Paused", "Passed") == (rollout["phase"], rollout["analysis"]["verdict"])
        served.failing.add(NEXT)
        world.clock.wait(11)
        await world.settle()
        rollout = await world.rollout()
        assert ("RolledBack", "AnalysisFailed") == (
            rollout["phase"],
            rollout["failed"]["reason"],
        )
        assert [IMAGE, IMAGE] == await world.images()


async def test_a_route_that_cannot_be_read_is_set_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary gets no more requests, and goes; the rest of the route stays as it was."""
    parents = {"parentRefs": [{"name": "gateway"}], "hostnames": ["orders.test"]}
    async with served(world.kube, HTTP_ROUTE):
        world.restart()
        await begin(world, strategy="Canary")
        await world.change(expose={"httpRoute": parents})
        await world.settle()
        before = await weights(world)
        assert before[f"{NAME}-canary"] > 0
        monkeypatch.setattr(reconcile, "decode", unreadable)
        monkeypatch.setattr("orders_operator.reconcile.unreadable.legible", without_route)
        world.kubelet.fates[NEXT] = Fate.CRASHING
        await world.settle()
        assert "RolledBack" == (await world.rollout())["phase"]
        assert [IMAGE, IMAGE] == await world.images()
        assert before | {f"{NAME}-canary": 0} == await weights(world)
        route = await world.get(HTTP_ROUTE.api_version, HTTP_ROUTE.plural, NAME)
        assert ["orders.test"] == route["spec"]["hostnames"]


def without_route(resource: dict[str, Any]) -> OrderService | None:
    """Return what can be read when `expose` cannot."""
    spec = {name: it for name, it in resource["spec"].items() if name != "expose"}
    return legible({**resource, "spec": spec})


async def weights(world: World) -> dict[str, int]:
    """Return the share of each Service that the route has."""
    route = await world.get(HTTP_ROUTE.api_version, HTTP_ROUTE.plural, NAME)
    [rule] = route["spec"]["rules"]
    return {it["name"]: it["weight"] for it in rule["backendRefs"]}
