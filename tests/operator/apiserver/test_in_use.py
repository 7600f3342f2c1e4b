"""What is in use stays, on the ways on which other operators have lost it."""

import pytest

from orders_operator.resources import postgres
from tests.helpers.apiserver.fake_kubelet import Fate
from tests.helpers.apiserver.operator_namespace import NAME, NEXT, World

DATABASE = f"{NAME}-postgresql"
LEAVING = {"embedded": None, "secretRef": {"name": "database"}}
LATER = "2026-01-02T03:04:05Z"
MODE = {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}}


async def database_image(world: World) -> str:
    """Return the image that the database runs."""
    found = await world.get("apps/v1", "statefulsets", DATABASE)
    return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


async def revisions(world: World, prefix: str) -> set[str]:
    """Return the ControllerRevisions with such a name."""
    found = await world.names("apps/v1", "controllerrevisions")
    return {name for name in found if name.startswith(prefix)}


@pytest.mark.parametrize("image", ["postgres:18", "postgres:17.6"])
async def test_a_database_that_is_left_stays_as_it_was_declared_last(
    world: World, image: str
) -> None:
    """Whatever it was before: an older PostgreSQL does not start on newer data."""
    await world.declare(database={"embedded": {}})
    await world.settle()
    await world.change(database={"embedded": {"image": image}})
    await world.settle()
    assert 1 == len(await revisions(world, DATABASE))
    world.kubelet.fates[NEXT] = Fate.STARTING
    await world.change(database=LEAVING, image=NEXT)
    await world.settle()
    assert image == await database_image(world)


async def test_a_database_whose_revision_is_lost_is_left_with_its_claim(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the StatefulSet says what it is; another release of the operator restarts nothing."""
    await world.declare(database={"embedded": {}})
    await world.settle()
    [name] = await revisions(world, DATABASE)
    before = await world.get("apps/v1", "statefulsets", DATABASE)
    await world.delete("apps/v1", "controllerrevisions", name)
    monkeypatch.setattr(postgres, "_VOLUME", "/var/lib/postgresql")
    world.restart()
    world.kubelet.fates[NEXT] = Fate.STARTING
    await world.change(database=LEAVING, image=NEXT)
    await world.settle()
    after = await world.get("apps/v1", "statefulsets", DATABASE)
    assert before["spec"]["template"] == after["spec"]["template"]

    del world.kubelet.fates[NEXT]
    await world.settle()
    assert await world.find("apps/v1", "statefulsets", DATABASE) is None
    assert f"data-{DATABASE}-0" == (await world.status())["retainedClaim"]["name"]


async def test_a_lost_secret_of_a_database_in_use_is_made_again(world: World) -> None:
    """Also where the spec has left the database, and its pods are still being replaced."""
    await world.declare(database={"embedded": {}})
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.STARTING
    await world.change(database=LEAVING, image=NEXT)
    await world.settle()
    await world.delete("v1", "secrets", DATABASE)
    await world.settle()
    assert await world.find("v1", "secrets", DATABASE) is not None


async def test_a_secret_that_is_named_as_ours_is_somebody_elses(world: World) -> None:
    """A chart of PostgreSQL may name its Secret so: its port is opened, and no database made."""
    await world.secret(DATABASE, "postgresql://a:b@db:6543/orders")
    await world.declare(database={"secretRef": {"name": DATABASE}})
    await world.settle()
    assert ("True", "Available") == await world.condition("Ready")
    assert 6543 in await world.ports()
    assert await world.find("apps/v1", "statefulsets", DATABASE) is None


async def test_a_missing_secret_cuts_nobody_off(world: World) -> None:
    """A canary's Secret is gone, and the stable one gets another port: both pods are let out."""
    await world.secret("other", "postgresql://a:b@db:6544/orders")
    await world.declare(rollout={"strategy": "Canary"})
    await world.settle()
    await world.change(database={"secretRef": {"name": "other"}})
    await world.settle()
    assert "Canary" == (await world.rollout())["phase"]
    await world.delete("v1", "secrets", "other")
    await world.settle()
    await world.secret("database", "postgresql://a:b@db:6432/orders")
    await world.settle()
    assert {6432, 6544} <= await world.ports()


async def test_going_back_without_its_secret_makes_no_pod_that_cannot_start(
    world: World,
) -> None:
    """The pods that are there serve on: they have read it, and are of what is gone back to."""
    await world.secret("other", "postgresql://a:b@db:5432/orders")
    await world.declare(replicas=3)
    await world.settle()
    before = {pod["metadata"]["uid"] for pod in await world.pods()}
    world.kubelet.fates[NEXT] = Fate.STARTING
    await world.change(image=NEXT, database={"secretRef": {"name": "other"}})
    await world.settle()
    await world.delete("v1", "secrets", "database")
    await world.tell(abort=(await world.rollout())["revision"])
    await world.settle()
    assert "RolledBack" == (await world.rollout())["phase"]
    assert before == {pod["metadata"]["uid"] for pod in await world.pods()}
    assert ("True", "SecretMissing") == await world.condition("Degraded")


async def test_a_copy_stays_for_the_way_back(world: World) -> None:
    """The stable revision's, after its last pod is gone and before the next one is stable."""
    await world.config("settings", mode="slow")
    await world.declare(podTemplate={"env": [MODE]})
    await world.settle()
    copy = f"{NAME}-{(await world.rollout())['stable']}-"
    [stable] = [it for it in await world.names("v1", "configmaps") if it.startswith(copy)]
    world.kubelet.fates[NEXT] = Fate.STARTING
    await world.change(image=NEXT)
    await world.settle()
    for pod in await world.pods():
        if pod["spec"]["containers"][0]["image"] != NEXT:
            await world.delete("v1", "pods", pod["metadata"]["name"])
    await world.config("settings", mode="fast")
    await world.reconcile()
    assert {"settings_mode": "slow"} == (await world.get("v1", "configmaps", stable))["data"]


async def test_a_foreign_object_in_place_of_the_password_rolls_nothing(world: World) -> None:
    """It makes one condition; the pods go on."""
    await world.declare(database={"embedded": {}})
    await world.settle()
    before = (await world.deployment())["metadata"]["generation"]
    await world.delete("v1", "secrets", DATABASE)
    await world.secret(DATABASE, "postgresql://a:b@db/orders")
    await world.settle()
    assert ("True", "NameConflict") == await world.condition("Degraded")
    assert before == (await world.deployment())["metadata"]["generation"]


async def test_a_restart_that_failed_can_be_taken_back(world: World) -> None:
    """Without the annotation what is declared is the stable revision again."""
    await world.declare(rollout={"strategy": "Canary"})
    await world.settle()
    await world.tell(restart=LATER)
    await world.settle()
    await world.tell(abort=(await world.rollout())["revision"])
    await world.settle()
    assert "RolledBack" == (await world.rollout())["phase"]
    await world.tell(restart=None, abort=None)
    await world.settle()
    assert "Stable" == (await world.rollout())["phase"]
    assert ("True", "Available") == await world.condition("Ready")


async def test_a_revision_that_failed_for_want_of_a_secret_is_tried_when_it_comes(
    world: World,
) -> None:
    """The deadline passed while the Secret was away: that it is there is news."""
    await world.secret("other", "postgresql://a:b@db/orders")
    await world.declare(rollout={"strategy": "Canary"})
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.STARTING
    await world.change(image=NEXT, database={"secretRef": {"name": "other"}})
    await world.settle()
    await world.delete("v1", "secrets", "other")
    world.clock.wait(3600)
    await world.settle()
    assert "RolledBack" == (await world.rollout())["phase"]
    del world.kubelet.fates[NEXT]
    await world.secret("other", "postgresql://a:b@db/orders")
    await world.settle()
    assert "Canary" == (await world.rollout())["phase"]
