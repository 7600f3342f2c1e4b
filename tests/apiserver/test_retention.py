"""The claim of a database that was made before claims were retained is retained in every pass."""

from typing import Any

import pytest

from orders_operator.api.decode import InvalidSpec
from orders_operator.reconcile import reconcile
from tests.apiserver.world import NAME, World

DATABASE = ("apps/v1", "statefulsets", f"{NAME}-postgresql")
LEAVING = {"embedded": None, "secretRef": {"name": "missing"}}


async def older(world: World, database: dict[str, Any]) -> None:
    """Have a database of a release that kept neither claims nor what was declared."""
    await world.declare(database={"embedded": database})
    await world.settle()
    policy = {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}
    await world.kube.merge(world.url(*DATABASE), {"spec": policy})
    for name in await world.names("apps/v1", "controllerrevisions"):
        if name.startswith(f"{NAME}-postgresql-"):
            await world.delete("apps/v1", "controllerrevisions", name)
    world.restart()


async def retention(world: World) -> str:
    """Return what becomes of the claim when the StatefulSet is deleted."""
    found = await world.get(*DATABASE)
    return str(found["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"])


@pytest.mark.parametrize("change", [{}, {"paused": True}, {"database": LEAVING}])
async def test_a_claim_is_retained(world: World, change: dict[str, Any]) -> None:
    """Also while nothing else is done, and where the spec has left the database."""
    await older(world, {})
    await world.change(**change)
    await world.reconcile()
    assert "Retain" == await retention(world)


async def test_a_claim_is_retained_where_the_spec_cannot_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator that does not understand a spec still loses no orders by it."""

    def unreadable(_: object) -> None:
        raise InvalidSpec("spec: it is odd")

    await older(world, {})
    monkeypatch.setattr(reconcile, "decode", unreadable)
    await world.reconcile()
    assert ("True", "InvalidSpec") == await world.condition("Degraded")
    assert "Retain" == await retention(world)


@pytest.mark.parametrize("change", [{}, {"paused": True}])
async def test_a_claim_that_is_declared_to_go_goes(world: World, change: dict[str, Any]) -> None:
    """`retention: Delete` is a person's word."""
    await older(world, {"retention": "Delete"})
    await world.change(**change)
    await world.reconcile()
    assert "Delete" == await retention(world)


async def test_what_was_declared_last_counts_for_a_database_that_is_left(world: World) -> None:
    """The spec says nothing of it by now; a release that knows of retention made it."""
    await world.declare(database={"embedded": {"retention": "Delete"}})
    await world.settle()
    await world.change(paused=True, database=LEAVING)
    await world.reconcile()
    assert "Delete" == await retention(world)
