"""Children without an owner: adopted where an operator made them, and only there."""

from typing import Any

import pytest

from orders_operator.api.spec import API_VERSION, PLURAL
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World

DATABASE = f"{NAME}-postgresql"
OURS = {"app.kubernetes.io/managed-by": "orders-operator"}


async def owned(world: World) -> list[tuple[str, dict[str, Any]]]:
    """Return the URLs of all children, each with its metadata."""
    return [
        (world.url(kind.api_version, kind.plural, it["metadata"]["name"]), it["metadata"])
        for kind, it in await world.every(OURS)
    ]


async def orphan(world: World, uid: str | None = None) -> None:
    """Delete the OrderService as with `--cascade=orphan`; with a uid, as a restore leaves it."""
    found = await world.resource()
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Orphan"}
    where = world.url(API_VERSION, PLURAL, NAME)
    await world.kube.request("DELETE", where, body=options)
    await world.kube.merge(where, {"metadata": {"finalizers": None}})
    old = {"apiVersion": API_VERSION, "kind": "OrderService", "name": NAME, "uid": uid}
    references = [{**old, "controller": True}] if uid else None
    for url, _ in await owned(world):
        await world.kube.merge(url, {"metadata": {"ownerReferences": references}})
    again = {"metadata": {"name": NAME}, "spec": found["spec"]}
    made = {"apiVersion": API_VERSION, "kind": "OrderService", **again}
    await world.kube.create(PLURAL, made, namespace=world.namespace)


@pytest.mark.parametrize("uid", [None, "0b1ba5a4-6bd4-4d8f-9b0e-5f1ab6ad2d1e"])
async def test_orphans_are_adopted(world: World, uid: str | None) -> None:
    """With a database, revisions and a canary: pods stay, and so does the password."""
    await world.declare(
        database={"embedded": {}},
        rollout={"strategy": "Canary"},
        expose={"ingress": {"host": "orders.test"}},
    )
    await world.settle()
    await world.change(image=NEXT)
    await world.settle()
    assert [IMAGE, NEXT] == await world.images()
    secret = (await world.get("v1", "secrets", DATABASE))["data"]
    before = {url: it["uid"] for url, it in await owned(world)}
    pods = {it["metadata"]["uid"] for it in await world.pods()}
    await world.change(image=IMAGE)
    await orphan(world, uid)
    await world.settle()
    assert ("True", "Available") == await world.condition("Ready")
    ours = (await world.resource())["metadata"]["uid"]
    after = dict(await owned(world))
    assert {ours} == {
        it["uid"] for metadata in after.values() for it in metadata.get("ownerReferences") or ()
    }
    gone = {url for url in before if before[url] != after.get(url, {}).get("uid")}
    assert {world.url("apps/v1", "deployments", f"{NAME}-canary")} == gone
    assert secret == (await world.get("v1", "secrets", DATABASE))["data"]
    assert [IMAGE] == await world.images()
    assert {it["metadata"]["uid"] for it in await world.pods()} <= pods


async def test_a_foreign_object_is_never_adopted(world: World) -> None:
    """One with our labels that nobody of ours has applied is a condition, and stays as it is."""
    labels = {
        "app.kubernetes.io/instance": NAME,
        "app.kubernetes.io/managed-by": "orders-operator",
    }
    metadata = {"name": NAME, "labels": labels}
    made = {"apiVersion": "v1", "kind": "Service", "metadata": metadata}
    spec = {"ports": [{"port": 1}]}
    await world.kube.create("services", {**made, "spec": spec}, namespace=world.namespace)
    await world.declare()
    await world.settle()
    assert ("True", "NameConflict") == await world.condition("Degraded")
    found = await world.get("v1", "services", NAME)
    assert [1] == [it["port"] for it in found["spec"]["ports"]]
    assert "ownerReferences" not in found["metadata"]


@pytest.mark.parametrize("marked", [True, False])
async def test_what_a_backup_tool_restores(world: World, *, marked: bool) -> None:
    """Without owners and with labels of its own: ours where `managedFields` say so, else foreign.

    It makes objects by their names, labels and content, and sets `managedFields` afterwards.
    """
    await world.declare(database={"embedded": {}})
    await world.settle()
    secret = (await world.get("v1", "secrets", DATABASE))["data"]
    spec, saved = (await world.resource())["spec"], await dump(world)
    await world.delete(API_VERSION, PLURAL, NAME)
    for _ in saved:
        await world.calm()
    for plural, obj, marks in saved:
        await world.kube.create(plural, obj, namespace=world.namespace)
        where = world.url(obj["apiVersion"], plural, obj["metadata"]["name"])
        if marked:
            await world.kube.merge(where, {"metadata": {"managedFields": marks}})
    made = {"apiVersion": API_VERSION, "kind": "OrderService", "metadata": {"name": NAME}}
    await world.kube.create(PLURAL, {**made, "spec": spec}, namespace=world.namespace)
    before = await restored(world, saved)
    await world.settle()
    after = await restored(world, saved)
    assert secret == (await world.get("v1", "secrets", DATABASE))["data"]
    assert [it["uid"] for it in before] == [it["uid"] for it in after]
    if marked:
        assert ("True", "Available") == await world.condition("Ready")
        assert all("ownerReferences" in it for it in after)
    else:
        assert ("True", "NameConflict") == await world.condition("Degraded")
        assert not any("ownerReferences" in it for it in after)
        managers = {entry["manager"] for it in after for entry in it["managedFields"]}
        assert "orders-operator" not in managers


async def dump(world: World) -> list[tuple[str, dict[str, Any], list[Any]]]:
    """Return the children as a backup tool keeps them, with their plurals and `managedFields`."""
    found = []
    for kind, it in await world.every(OURS):
        metadata = it["metadata"]
        kept = {name: metadata.get(name) or {} for name in ("name", "annotations")}
        kept["labels"] = {**metadata["labels"], "restore": "first"}
        content = {name: value for name, value in it.items() if name != "status"}
        if kind.plural == "services" and content["spec"].get("clusterIP") != "None":
            given = {"clusterIP", "clusterIPs"}
            spec = {name: it for name, it in content["spec"].items() if name not in given}
            content["spec"] = spec
        about = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": kept}
        found.append((kind.plural, {**content, **about}, metadata["managedFields"]))
    return found


async def restored(
    world: World, saved: list[tuple[str, dict[str, Any], list[Any]]]
) -> list[dict[str, Any]]:
    """Return the metadata of what was restored."""
    return [
        (await world.get(obj["apiVersion"], plural, obj["metadata"]["name"]))["metadata"]
        for plural, obj, _ in saved
    ]
