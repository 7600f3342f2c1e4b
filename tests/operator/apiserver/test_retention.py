"""The claim of a database that was made before claims were retained is retained in every pass."""

from typing import Any

import pytest

from orders_operator.api.decode import InvalidSpec
from orders_operator.api.spec import API_VERSION, KIND, PLURAL
from orders_operator.objects import Object
from orders_operator.reconcile import reconcile
from orders_operator.reconcile.retention import retain
from orders_operator.resources.postgres import database_names
from tests.helpers.apiserver.operator_namespace import NAME, World

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


async def test_a_claim_is_retained_whatever_the_name_of_its_database(world: World) -> None:
    """Where the name of the OrderService is long, that of its database has a hash."""
    name = f"{NAME}-{'long' * 10}"
    _, plural, _ = DATABASE
    for found in database_names(name):
        resource, database = _long(name, found)
        made = await world.kube.create(PLURAL, resource, namespace=world.namespace)
        owner = {"kind": KIND, "name": name, "uid": made["metadata"]["uid"], "controller": True}
        database["metadata"]["ownerReferences"] = [{"apiVersion": API_VERSION, **owner}]
        await world.kube.create(plural, database, namespace=world.namespace)

        await retain(world.kube, made)
        live = await world.get("apps/v1", plural, found)
        assert "Retain" == live["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"]
        await world.delete(API_VERSION, PLURAL, name)
    assert 2 == len(set(database_names(name)))


def _long(name: str, database: str) -> tuple[Object, Object]:
    """Return an OrderService, and a StatefulSet as its database."""
    declared = {"image": "orders", "database": {"embedded": {}}}
    labels = {"app": "database"}
    container = {"name": "postgresql", "image": "postgres"}
    spec = {
        "serviceName": database,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"},
    }
    return (
        {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": declared},
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": database},
            "spec": spec,
        },
    )
