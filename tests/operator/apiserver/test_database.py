"""The embedded database: made, kept while anything needs it, and its claim kept after that."""

import base64
from typing import Any

import pytest

from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.errors import KubeError
from orders_operator.reconcile.apply_cache import ApplyCache
from tests.helpers.apiserver.fake_kubelet import Fate
from tests.helpers.apiserver.operator_namespace import NAME, NEXT, World
from tests.helpers.apiserver.refusals import answering

DATABASE = f"{NAME}-postgresql"
CLAIM = f"data-{DATABASE}-0"
CLAIMS = ("v1", "persistentvolumeclaims")
LEAVING = {"embedded": None, "secretRef": {"name": "database"}}


async def embedded(world: World, **spec: object) -> None:
    """Have a service with an embedded database."""
    await world.declare(database={"embedded": {}}, **spec)
    await world.settle()
    assert ("True", "Available") == await world.condition("Ready")


async def there(world: World) -> set[str]:
    """Return the kinds of what there is of the database."""
    kinds = (("v1", "secrets"), ("v1", "services"), ("apps/v1", "statefulsets"))
    return {plural for version, plural in kinds if await world.find(version, plural, DATABASE)}


async def test_a_database_is_made(world: World) -> None:
    """An embedded database is a StatefulSet with a claim, and a Secret with its URL."""
    await embedded(world)
    assert {"secrets", "services", "statefulsets"} == await there(world)
    assert {CLAIM} == await world.names(*CLAIMS)
    data = (await world.get("v1", "secrets", DATABASE))["data"]
    url = base64.b64decode(data["url"]).decode()
    assert f"@{DATABASE}:5432/orders" in url
    assert base64.b64decode(data["password"]).decode() in url


async def test_a_password_is_drawn_once(world: World) -> None:
    """The password stays, whatever process looks at it, and so do the pods."""
    await embedded(world)
    before = await world.versions()
    for _ in range(3):
        world.restart()
        await world.reconcile()
    assert before == await world.versions()


async def test_a_lost_secret_is_made_anew(world: World) -> None:
    """A Secret that somebody deletes has another password, which database and pods both get."""
    await embedded(world)
    before = (await world.get("v1", "secrets", DATABASE))["data"]["password"]
    old = await world.get("apps/v1", "statefulsets", DATABASE)
    await world.delete("v1", "secrets", DATABASE)
    await world.settle()
    assert before != (await world.get("v1", "secrets", DATABASE))["data"]["password"]
    new = await world.get("apps/v1", "statefulsets", DATABASE)
    assert old["spec"]["template"] != new["spec"]["template"]
    assert ("True", "Available") == await world.condition("Ready")


@pytest.mark.parametrize("verb", ["POST", "PATCH"])
async def test_a_password_that_exists_is_never_replaced(
    world: World, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """Where another operator, or a person, has made one since the pass has read, that is taken."""
    if verb == "PATCH":
        await embedded(world)
    else:
        await world.declare(database={"embedded": {}})
    slow = world.restart()
    kube = slow.kube
    write = kube.request

    async def late(method: str, url: str, *how: Any, **more: Any) -> Any:
        if (method, "/secrets" in url) == (verb, True):
            monkeypatch.setattr(kube, "request", write)
            if verb == "PATCH":
                await world.delete("v1", "secrets", DATABASE)
            await world.reconcile()
        return await write(method, url, *how, **more)

    monkeypatch.setattr(kube, "request", late)
    monkeypatch.setattr(ApplyCache, "unchanged", lambda *_: False)
    with pytest.raises(KubeError, match=r"AlreadyExists|Conflict"):
        await slow.reconcile(world.key)
    made = (await world.get("v1", "secrets", DATABASE))["data"]
    await slow.reconcile(world.key)
    assert made == (await world.get("v1", "secrets", DATABASE))["data"]


async def test_a_secret_that_cannot_be_had_makes_no_revisions(world: World) -> None:
    """Where the database's Secret is refused there is one condition, and nothing piles up."""
    await world.quota(**{"count/secrets": "0"})
    await world.declare(database={"embedded": {}})
    for _ in range(5):
        await world.reconcile()
        await world.sync()
    assert "True" == (await world.condition("Degraded"))[0]
    assert 2 >= await world.count("controllerrevisions")
    generation = (await world.find("apps/v1", "deployments", NAME) or {}).get("metadata", {})
    assert 1 >= generation.get("generation", 0)


async def test_a_secret_of_somebody_else_makes_no_revisions(world: World) -> None:
    """Where the name is taken there is one condition, and nothing piles up."""
    await world.secret(DATABASE, "postgresql://a:b@db/orders")
    await world.declare(database={"embedded": {}})
    for _ in range(5):
        await world.reconcile()
        await world.sync()
    assert ("True", "NameConflict") == await world.condition("Degraded")
    assert 2 >= await world.count("controllerrevisions")


async def test_a_database_stays_while_its_successor_is_missing(world: World) -> None:
    """A spec that leaves the database for a Secret that is not there takes nothing away."""
    await embedded(world)
    await world.change(database={"embedded": None, "secretRef": {"name": "later"}})
    await world.settle()
    assert ("True", "SecretMissing") == await world.condition("Degraded")
    assert {"secrets", "services", "statefulsets"} == await there(world)
    assert 5432 in await world.ports()


async def test_a_database_stays_until_the_next_revision_is_stable(world: World) -> None:
    """While new pods come, and when they fail, the old ones keep their database."""
    await embedded(world)
    world.kubelet.fates[NEXT] = Fate.STARTING
    await world.change(database=LEAVING, image=NEXT)
    await world.settle()
    assert {"secrets", "services", "statefulsets"} == await there(world)
    world.kubelet.fates[NEXT] = Fate.CRASHING
    await world.settle()
    assert "RolledBack" == (await world.rollout())["phase"]
    assert {"secrets", "services", "statefulsets"} == await there(world)


async def test_a_database_stays_beside_a_canary(world: World) -> None:
    """At every step of a canary that leaves the database the stable pods have it."""
    await embedded(world, rollout={"strategy": "Canary"})
    await world.change(database=LEAVING)
    await world.settle()
    found = await world.rollout()
    assert "Canary" == found["phase"]
    assert {"secrets", "services", "statefulsets"} == await there(world)
    await world.tell(promote=found["revision"])
    await world.settle()
    assert set() == await there(world)


async def test_a_database_stays_for_a_pod_on_its_way_out(world: World) -> None:
    """A pod that still answers its last requests has its database until it is gone."""
    await embedded(world)
    world.kubelet.lingering = True
    await world.change(database=LEAVING)
    await world.settle()
    assert "Stable" == (await world.rollout())["phase"]
    assert {"secrets", "services", "statefulsets"} == await there(world)
    world.kubelet.lingering = False
    await world.settle()
    assert set() == await there(world)


async def test_a_database_that_is_left_keeps_its_claim(world: World) -> None:
    """What was the database goes; the claim stays, and status says how to delete it."""
    await embedded(world)
    await world.change(database=LEAVING)
    await world.settle()
    assert set() == await there(world)
    assert {CLAIM} == await world.names(*CLAIMS)
    command = f"kubectl delete pvc --namespace {world.namespace} {CLAIM}"
    assert {"name": CLAIM, "deleteWith": command} == (await world.status())["retainedClaim"]
    await world.change(database={"embedded": {}, "secretRef": None})
    await world.settle()
    assert "retainedClaim" not in await world.status()
    assert ("True", "Available") == await world.condition("Ready")


async def test_a_claim_that_is_taken_up_keeps_its_pod_where_it_was(world: World) -> None:
    """Its volume may be bound to a node; while the claim cannot be read there is no pod."""
    await world.declare(database={"embedded": {}}, podTemplate={"nodeSelector": {"disk": "fast"}})
    await world.settle()
    await world.change(database=LEAVING)
    await world.settle()
    again: dict[str, Any] = {"embedded": {}, "secretRef": None}
    with answering(world, 503, f"/persistentvolumeclaims/{CLAIM}"):
        await world.change(database=again, podTemplate={"nodeSelector": {"disk": "slow"}})
        await world.settle()
        assert "statefulsets" not in await there(world)
        said = await world.said("Degraded")
        assert "ApplyFailed" == said["reason"]
        assert f"PersistentVolumeClaim {CLAIM}: " in said["message"]
    await world.settle()
    pod = await world.get("v1", "pods", f"{DATABASE}-0")
    assert {"disk": "fast"} == pod["spec"]["nodeSelector"]
    assert {"disk": "slow"} == (await world.pods())[0]["spec"]["nodeSelector"]
    assert ("True", "Available") == await world.condition("Ready")


async def test_a_claim_goes_where_the_spec_says_so(world: World) -> None:
    """With `retention: Delete` the claim goes with the database."""
    await world.declare(database={"embedded": {"retention": "Delete"}})
    await world.settle()
    await world.change(database=LEAVING)
    await world.settle()
    await world.sync()
    assert set() == await world.names(*CLAIMS)
    assert "retainedClaim" not in await world.status()


async def test_a_claim_outlives_its_service(world: World) -> None:
    """Deleting the OrderService leaves the orders."""
    await embedded(world)
    await world.delete(API_VERSION, PLURAL, NAME)
    for _ in range(5):
        await world.sync()
    assert set() == await there(world)
    assert {CLAIM} == await world.names(*CLAIMS)


async def test_the_claim_s_fate_follows_the_policy(world: World) -> None:
    """The model gives a claim to its StatefulSet, and takes it away, as Kubernetes does."""
    await embedded(world)
    found = await world.get("apps/v1", "statefulsets", DATABASE)
    policy = found["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"]
    claim = await world.get(*CLAIMS, CLAIM)
    owners = claim["metadata"].get("ownerReferences") or []
    assert (policy == "Delete") == bool(owners)
