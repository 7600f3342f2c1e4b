"""Metrics that ask for a key: its Secret stays while pods need it, and the analysis has it."""

from base64 import b64decode, b64encode

import pytest

from orders_operator.objects import Object
from tests.helpers.apiserver.fake_kubelet import named
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World
from tests.helpers.apiserver.refusals import policy
from tests.helpers.apiserver.track_metrics import traffic

SECRET = f"{NAME}-metrics"
CLOSED = {"monitoring": {"enabled": False, "auth": True}}
OPEN = {"monitoring": {"enabled": False, "auth": False}}
STEPS = [{"weight": 50, "duration": "10s"}]
CANARY = {
    "strategy": "Canary",
    "canary": {"steps": STEPS, "analysis": {"interval": "10s", "maxErrorRatio": 0.01}},
}


async def values(world: World) -> dict[str, str]:
    """Return what the Secret has."""
    found = await world.get("v1", "secrets", SECRET)
    return {name: b64decode(it).decode() for name, it in found["data"].items()}


async def write(world: World, **changed: str | None) -> None:
    """Have a person change the Secret."""
    data = {
        name: None if it is None else b64encode(it.encode()).decode()
        for name, it in changed.items()
    }
    await world.kube.merge(world.url("v1", "secrets", SECRET), {"data": data})


async def mounts(world: World) -> list[bool]:
    """Return of each pod whether it mounts the Secret."""
    return [("secrets", SECRET) in named(pod["spec"]) for pod in await world.pods()]


async def test_the_key_is_made_once_and_stays(world: World) -> None:
    """In the first pass, before the pods; neither a restart nor a change of the spec renews it."""
    await world.declare(**CLOSED)
    await world.reconcile()
    before = await values(world)
    await world.settle()
    assert [IMAGE] == await world.images()
    assert [True] == await mounts(world)
    world.restart()
    await world.change(image=NEXT)
    await world.settle()
    assert before == await values(world)
    assert ("False", "AsExpected") == await world.condition("Degraded")


async def test_it_is_written_once(world: World) -> None:
    """What all children inherit is on it as well, and no pass writes it again."""
    await world.declare(inheritedMetadata={"labels": {"team": "shop"}}, **CLOSED)
    await world.settle()
    before = await world.versions()
    assert "shop" == (await world.get("v1", "secrets", SECRET))["metadata"]["labels"]["team"]
    for _ in range(2):
        await world.reconcile()
    assert before == await world.versions()


async def test_it_outlives_the_last_pod_that_needs_it(world: World) -> None:
    """A canary that shows its metrics to all: the stable pods' key stays until they are gone."""
    await world.declare(rollout={"strategy": "Canary"}, **CLOSED)
    await world.settle()
    before = await values(world)
    await world.change(**OPEN)
    await world.settle()
    assert [False, True] == sorted(await mounts(world))
    assert before == await values(world)
    await world.tell(promote=(await world.rollout())["revision"])
    await world.settle()
    assert [False] == await mounts(world)
    assert await world.find("v1", "secrets", SECRET) is None


async def test_a_key_changes_without_a_gap_and_without_a_roll(world: World) -> None:
    """A second line first, then the key; one that is lost is made anew beside the old line."""
    await world.declare(**CLOSED)
    await world.settle()
    generation = (await world.deployment())["metadata"]["generation"]
    before = await values(world)
    other = "further sha256:" + "0" * 64 + " metrics:read\n"
    await write(world, keys=before["keys"] + other)
    await world.settle()
    assert {"key": before["key"], "keys": before["keys"] + other} == await values(world)

    await write(world, key=None)
    await world.settle()
    after = await values(world)
    assert before["key"] != after["key"]
    assert after["keys"].endswith(before["keys"] + other)

    await write(world, keys=None)
    await world.settle()
    last = await values(world)
    assert after["key"] == last["key"]
    assert 1 == len(last["keys"].splitlines())
    assert generation == (await world.deployment())["metadata"]["generation"]


async def test_one_that_is_deleted_is_made_anew(world: World) -> None:
    """With another key: whoever had the old one is refused, once pods have read it."""
    await world.declare(**CLOSED)
    await world.settle()
    before = await values(world)
    await world.delete("v1", "secrets", SECRET)
    await world.settle()
    after = await values(world)
    assert before["key"] != after["key"]
    assert 1 == len(after["keys"].splitlines())


async def test_without_the_right_to_make_it_nothing_begins(world: World) -> None:
    """It is said what is refused; pods that run stay as they are."""
    await world.declare()
    await world.settle()
    async with policy(world, "secrets", "no Secrets here"):
        await world.change(**CLOSED)
        await world.settle()
        found = await world.said("Degraded")
        assert ("True", "ApplyFailed") == (found["status"], found["reason"])
        assert f"Secret {SECRET}" in found["message"]
        assert [False] == await mounts(world)
    world.clock.wait(60)
    await world.settle()
    assert [True] == await mounts(world)


async def test_somebody_else_s_secret_is_left_alone(world: World) -> None:
    """Its name is in the way: nothing begins, and Prometheus is not sent what is in it."""
    await world.secret(SECRET, "theirs", key="theirs")
    await world.declare(**CLOSED)
    await world.settle()
    assert "NameConflict" == (await world.said("Degraded"))["reason"]
    assert "theirs" == (await values(world))["key"]
    assert await world.find("apps/v1", "deployments", NAME) is None


@pytest.mark.parametrize("stable", [CLOSED, OPEN], ids=["closed", "open"])
async def test_a_canary_is_judged_with_the_key(world: World, stable: Object) -> None:
    """Both tracks are read, whichever of them asks for the key; a wrong one holds the canary."""
    async with traffic(world.kubelet) as served:
        await world.declare(replicas=2, rollout=CANARY, **stable)
        await world.settle()
        await world.change(image=NEXT, **CLOSED)
        await world.reconcile()
        await world.reconcile()
        key = (await values(world))["key"]
        served.keys = {NEXT: key, **({IMAGE: key} if stable is CLOSED else {})}
        await world.settle()
        assert "Canary" == (await world.rollout())["phase"]

        served.keys[NEXT] = "another"
        world.clock.wait(11)
        await world.settle()
        found = await world.rollout()
        assert ("Canary", "Inconclusive") == (found["phase"], found["analysis"]["verdict"])
        assert "it answered 401" in found["analysis"]["message"]

        served.keys[NEXT] = key
        for _ in range(4):
            world.clock.wait(11)
            await world.settle()
        assert [NEXT] * 2 == await world.images()
