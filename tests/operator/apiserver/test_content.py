"""New content of Secrets and ConfigMaps reaches every pod that serves, and starts no rollout."""

import pytest

from orders_operator.reconcile import running
from orders_operator.resources.labels import CONFIG_HASH
from orders_operator.resources.references import SECRETS, Reference
from tests.helpers.apiserver.fake_kubelet import Fate
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World

MODE = {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}}


async def rotate(world: World) -> None:
    """Have another password in the Secret."""
    await world.secret("database", "postgresql://orders:rotated@db/orders")
    await world.settle()


async def content(world: World, suffix: str = "") -> str:
    """Return the hash of the content that a Deployment's pods have."""
    found = (await world.deployment(suffix))["spec"]["template"]["metadata"]["annotations"]
    return str(found[CONFIG_HASH])


async def read_mode(world: World, suffix: str = "") -> str:
    """Return what the pods of a Deployment read from the ConfigMap."""
    spec = (await world.deployment(suffix))["spec"]["template"]["spec"]
    [variable] = [it for it in spec["containers"][0]["env"] if it["name"] == "MODE"]
    source = variable["valueFrom"]["configMapKeyRef"]
    return str((await world.get("v1", "configmaps", source["name"]))["data"][source["key"]])


async def test_a_secret_rotates_in_a_canary(world: World) -> None:
    """Both tracks get it, each with its own revision; the canary goes on."""
    await world.canary()
    before, pods = await world.rollout(), {pod["metadata"]["uid"] for pod in await world.pods()}
    hashes = await content(world), await content(world, "-canary")
    await rotate(world)
    after = await world.rollout()
    assert set() == pods & {pod["metadata"]["uid"] for pod in await world.pods()}
    assert [IMAGE, NEXT] == await world.images()
    assert (before["revision"], "Canary", 1) == (after["revision"], after["phase"], after["step"])
    assert set() == {*hashes} & {await content(world), await content(world, "-canary")}


async def test_a_secret_rotates_while_the_rollout_is_paused(world: World) -> None:
    """The annotation holds the step, not the content."""
    await world.canary()
    await world.tell(pause=(await world.rollout())["revision"])
    await world.settle()
    before = await content(world), await content(world, "-canary")
    await rotate(world)
    assert "Paused" == (await world.rollout())["phase"]
    assert set() == {*before} & {await content(world), await content(world, "-canary")}


async def test_a_secret_rotates_after_a_rollback(world: World) -> None:
    """The stable pods get it; the failed revision, which reads the same, is not tried again."""
    await world.declare()
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.CRASHING
    await world.change(image=NEXT)
    await world.settle()
    rollout, before = await world.rollout(), await content(world)
    assert "RolledBack" == rollout["phase"]
    await rotate(world)
    assert rollout["failed"] == (await world.rollout())["failed"]
    assert before != await content(world)
    assert [IMAGE] == await world.images()


async def test_a_failed_revision_is_tried_again_with_content_of_its_own(world: World) -> None:
    """What it reads and the stable one does not has changed: that may be the cure."""
    await world.secret("other", "postgresql://orders:wrong@db/orders")
    await world.declare()
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.CRASHING
    await world.change(image=NEXT, database={"secretRef": {"name": "other"}})
    await world.settle()
    assert "RolledBack" == (await world.rollout())["phase"]

    await world.delete("v1", "secrets", "other")
    await world.settle()
    assert "RolledBack" == (await world.rollout())["phase"]
    await world.secret("other", "postgresql://orders:wrong@db/orders")
    await world.settle()
    assert "RolledBack" == (await world.rollout())["phase"]

    del world.kubelet.fates[NEXT]
    await world.secret("other", "postgresql://orders:right@db/orders")
    await world.settle()
    assert "Stable" == (await world.rollout())["phase"]
    assert [NEXT] == await world.images()


async def test_only_keys_that_pods_read_count(world: World) -> None:
    """Another key of the same Secret replaces nothing, and neither does a label of it."""
    await world.declare()
    await world.settle()
    before = (await world.deployment())["metadata"]["generation"]
    await world.secret("database", "postgresql://orders:secret@db/orders", other="new")
    where = world.url("v1", "secrets", "database")
    await world.kube.merge(where, {"metadata": {"labels": {"touched": "yes"}}})
    await world.settle()
    assert before == (await world.deployment())["metadata"]["generation"]


async def test_going_back_goes_back_to_the_content_of_a_config_map(world: World) -> None:
    """The stable pods beside a canary keep what they read; the canary has what is there now."""
    await world.config("settings", mode="slow")
    await world.canary(podTemplate={"env": [MODE]})
    await world.config("settings", mode="fast")
    await world.settle()
    assert ("slow", "fast") == (await read_mode(world), await read_mode(world, "-canary"))

    await world.tell(abort=(await world.rollout())["revision"])
    await world.settle()
    assert "RolledBack" == (await world.rollout())["phase"]
    assert "slow" == await read_mode(world)
    copies = {it for it in await world.names("v1", "configmaps") if it.startswith(f"{NAME}-")}
    assert 2 == len(copies), copies  # the copy of the stable revision, and the log level


async def test_a_promoted_canary_keeps_its_content(world: World) -> None:
    """The copy of the revision before goes with it."""
    await world.config("settings", mode="slow")
    await world.canary(podTemplate={"env": [MODE]})
    await world.config("settings", mode="fast")
    await world.settle()
    await world.tell(promote=(await world.rollout())["revision"])
    await world.settle()
    assert "Stable" == (await world.rollout())["phase"]
    assert "fast" == await read_mode(world)


async def copies(world: World) -> dict[str, str]:
    """Return what each copy of the ConfigMap says."""
    found = await world.kube.list("v1", "configmaps", world.namespace)
    return {
        it["metadata"]["name"]: it["data"]["settings_mode"]
        for it in found
        if "settings_mode" in it["data"]
    }


async def test_a_container_that_restarts_reads_what_its_pod_has_read(world: World) -> None:
    """New content is another copy; the one before stays until its last pod is gone."""
    await world.config("settings", mode="slow")
    await world.declare(podTemplate={"env": [MODE]}, replicas=2)
    await world.settle()
    [old] = await copies(world)
    world.kubelet.lingering = True
    await world.config("settings", mode="fast")
    await world.settle()
    both = await copies(world)
    assert ("slow", ["fast", "slow"]) == (both[old], sorted(both.values()))
    assert "fast" == await read_mode(world)

    world.kubelet.lingering = False
    await world.settle()
    assert ["fast"] == list((await copies(world)).values())


async def test_a_copy_stays_while_its_pods_may_be_made_again(world: World) -> None:
    """The last old pod is evicted while new ones start: its ReplicaSet makes another."""
    await world.config("settings", mode="slow")
    await world.declare(podTemplate={"env": [MODE]})
    await world.settle()
    [old] = await copies(world)
    for pod in await world.pods():
        await world.delete("v1", "pods", pod["metadata"]["name"])
    await world.config("settings", mode="fast")
    await world.reconcile()
    assert old in await copies(world)


async def test_a_copy_keeps_the_name_that_it_has(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator of a release that names copies otherwise rolls nothing."""
    await world.config("settings", mode="slow")
    await world.declare(podTemplate={"env": [MODE]})
    await world.settle()
    before = await world.versions()
    monkeypatch.setattr(running, "copy_name", lambda *_: f"{NAME}-otherwise")
    world.restart()
    await world.settle()
    assert before == await world.versions()


async def test_the_copy_is_known_from_the_pods_alone(world: World) -> None:
    """Where the ControllerRevision is lost, their Deployment says which one they read."""
    await world.config("settings", mode="slow")
    await world.canary(podTemplate={"env": [MODE]})
    await world.config("settings", mode="fast")
    await world.settle()
    name = f"{NAME}-{(await world.rollout())['stable']}"
    before = await world.deployment()
    await world.delete("apps/v1", "controllerrevisions", name)
    await world.settle()
    assert before["spec"] == (await world.deployment())["spec"]
    assert "slow" == await read_mode(world)


async def test_an_address_stays_open_until_nobody_uses_it(world: World) -> None:
    """A Secret whose URL has another port: old pods still talk to the one that they have read."""
    await world.secret("database", "postgresql://a:b@db:6543/orders")
    await world.declare()
    await world.settle()
    world.kubelet.lingering = True
    await world.secret("database", "postgresql://a:b@db:6544/orders")
    await world.settle()
    assert {6543, 6544} <= await world.ports()
    world.kubelet.lingering = False
    await world.settle()
    ports = await world.ports()
    assert (False, True) == (6543 in ports, 6544 in ports)


async def test_a_secret_that_only_stable_pods_read_is_watched(world: World) -> None:
    """In a canary that has left it, it still rotates."""
    await world.secret("other", "postgresql://a:b@db:6544/orders")
    await world.canary()
    await world.change(database={"secretRef": {"name": "other"}})
    await world.settle()
    before = await content(world)
    await rotate(world)
    assert before != await content(world)
    references = world.operator.index
    found = [
        it
        for it in ("database", "other")
        if references.namers(world.namespace, Reference(SECRETS, it))
    ]
    assert ["database", "other"] == found
