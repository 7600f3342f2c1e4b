"""An operator of another release, which renders pods otherwise, replaces none of them."""

import pytest
from msgspec import Struct

from orders_operator.resources import declaration, pod, postgres
from tests.helpers.apiserver.fake_kubelet import Fate
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World

LATER = "2026-01-02T03:04:05Z"
DATABASE = f"{NAME}-postgresql"


def upgrade(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the operator by one that renders both pods otherwise."""
    monkeypatch.setattr(pod, "MARGIN", 17)
    monkeypatch.setattr(postgres, "_VOLUME", "/var/lib/postgresql")
    world.restart()


async def templates(world: World) -> list[object]:
    """Return the pod templates of every Deployment and StatefulSet."""
    found = [
        *await world.kube.list("apps/v1", "deployments", world.namespace),
        *await world.kube.list("apps/v1", "statefulsets", world.namespace),
    ]
    return [(it["metadata"]["generation"], it["spec"]["template"]) for it in found]


async def test_a_stable_service_stays_as_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its pods nor its database roll, and nothing at all is written."""
    await world.declare(database={"embedded": {}})
    await world.settle()
    before = await world.versions()
    upgrade(world, monkeypatch)
    await world.settle()
    assert before == await world.versions()


@pytest.mark.parametrize("after", ["an upgrade", "going back"])
async def test_one_that_knows_more_of_a_database_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    """What was declared is kept in what cannot be changed: with a field more, or one less."""
    usual = declaration.complete

    def newer(declared: Struct) -> dict[str, object]:
        return {**usual(declared), "newer": 1}

    if after == "going back":
        monkeypatch.setattr(declaration, "complete", newer)
    await world.declare(database={"embedded": {}})
    await world.settle()
    before = await world.versions()
    monkeypatch.setattr(declaration, "complete", newer if after == "an upgrade" else usual)
    world.restart()
    await world.settle()
    assert before == await world.versions()
    assert ("False", "AsExpected") == await world.condition("Degraded")


async def test_a_canary_stays_at_its_step(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both tracks have the pods that they had."""
    await world.declare(rollout={"strategy": "Canary"})
    await world.settle()
    await world.change(image=NEXT)
    await world.settle()
    before, rollout = await templates(world), await world.rollout()
    assert "Canary" == rollout["phase"]
    upgrade(world, monkeypatch)
    await world.settle()
    after = await world.rollout()
    assert before == await templates(world)
    assert (rollout["revision"], rollout["phase"], rollout["step"]) == (
        after["revision"],
        after["phase"],
        after["step"],
    )


async def test_a_failed_revision_is_not_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was declared, and failed: that it would be rendered otherwise now is no news."""
    await world.declare()
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.CRASHING
    await world.change(image=NEXT)
    await world.settle()
    before, rollout = await templates(world), await world.rollout()
    assert "RolledBack" == rollout["phase"]
    upgrade(world, monkeypatch)
    await world.settle()
    assert (before, rollout) == (await templates(world), await world.rollout())


async def test_a_restart_brings_the_new_rendering_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a new revision; taking the annotation away again rolls nothing."""
    await world.declare()
    await world.settle()
    upgrade(world, monkeypatch)
    await world.tell(restart=LATER)
    await world.settle()
    spec = (await world.deployment())["spec"]["template"]["spec"]
    assert 2 * 5 + 30 + 17 == spec["terminationGracePeriodSeconds"]

    before = await templates(world)
    await world.tell(restart=None)
    await world.settle()
    assert before == await templates(world)
    assert "Stable" == (await world.rollout())["phase"]


async def test_the_next_change_of_the_spec_brings_it_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revision that is new is rendered by who is there."""
    await world.declare()
    await world.settle()
    upgrade(world, monkeypatch)
    await world.change(image=NEXT)
    await world.settle()
    spec = (await world.deployment())["spec"]["template"]["spec"]
    assert 2 * 5 + 30 + 17 == spec["terminationGracePeriodSeconds"]


async def test_a_lost_revision_is_made_again_as_it_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ControllerRevision that somebody deletes is read from the Deployment; nothing rolls."""
    setting = {"configMapKeyRef": {"name": "settings", "key": "mode"}}
    await world.config("settings", mode="slow")
    await world.declare(podTemplate={"env": [{"name": "MODE", "valueFrom": setting}]})
    await world.settle()
    before = await templates(world)
    [name] = await world.names("apps/v1", "controllerrevisions")
    await world.delete("apps/v1", "controllerrevisions", name)
    upgrade(world, monkeypatch)
    await world.settle()
    assert {name} == await world.names("apps/v1", "controllerrevisions")
    assert before == await templates(world)
    assert [IMAGE] == await world.images()


async def test_a_lost_revision_of_a_database_is_made_again_as_it_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its StatefulSet says which one it was; the database is not restarted, nor sent elsewhere."""
    await world.declare(
        database={"embedded": {"resources": {"requests": {"cpu": "50m"}}}},
        podTemplate={"annotations": {"team": "shop"}, "nodeSelector": {"disk": "fast"}},
    )
    await world.settle()
    before, kept = await templates(world), await world.names("apps/v1", "controllerrevisions")
    for name in kept:
        await world.delete("apps/v1", "controllerrevisions", name)
    upgrade(world, monkeypatch)
    await world.settle()
    assert kept == await world.names("apps/v1", "controllerrevisions")
    assert before == await templates(world)
