"""What is refused of one object or one list stays with it: all else is made, and said."""

from typing import Any

import pytest

from orders_operator.client.errors import KubeError
from orders_operator.resources.kinds import HTTP_ROUTE
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World
from tests.helpers.apiserver.optional_kinds import served
from tests.helpers.apiserver.refusals import answering, policy, webhook_away

INGRESS = {"ingress": {"host": "orders.test"}}
THIRD = "orders/service:3"
WORDS = "the team forbids it"


async def refused(world: World) -> str:
    """Return what is said of what was refused."""
    said = await world.said("Degraded")
    assert ("True", "ApplyFailed") == (said["status"], said["reason"])
    return str(said["message"])


async def test_a_policy_refuses_one_kind(world: World) -> None:
    """It is told in the policy's words, pods serve, and it is made as soon as it may be."""
    async with policy(world, "services", WORDS):
        await world.declare()
        await world.settle()
        message = await refused(world)
        assert f"Service {NAME}: " in message
        assert WORDS in message
        assert [IMAGE] == await world.images()
    await world.settle()
    assert ("True", "Available") == await world.condition("Ready")


async def test_a_webhook_that_is_away(world: World) -> None:
    """What it is asked for is refused once a pass; the rest changes, and a rollout goes back."""
    await world.canary()
    async with webhook_away(world, "networkpolicies"):
        world.restart()
        await world.delete("networking.k8s.io/v1", "networkpolicies", NAME)
        assert 0.5 == await world.reconcile()
        assert 1 == await world.reconcile()
        assert "failed calling webhook" in await refused(world)
        await world.change(replicas=2)
        await abort_two(world)
    await world.settle()
    assert NAME in await world.names("networking.k8s.io/v1", "networkpolicies")


async def abort_two(world: World) -> None:
    """Have its rollout go back to two pods."""
    await world.tell(abort=(await world.rollout())["revision"])
    await world.settle()
    assert "RolledBack" == (await world.rollout())["phase"]
    assert [IMAGE, IMAGE] == await world.images()


async def test_a_revision_that_is_refused_keeps_no_other_back(world: World) -> None:
    """Its canary waits; the stable Deployment changes, and so does what is said."""
    await world.declare(rollout={"strategy": "Canary"})
    await world.settle()
    async with policy(world, "controllerrevisions", WORDS):
        await world.change(image=NEXT, replicas=2)
        await world.settle()
        assert WORDS in await refused(world)
        assert [IMAGE, IMAGE] == await world.images()
        await abort_two(world)


async def test_a_config_map_that_is_refused_keeps_no_pods_back(world: World) -> None:
    """What there is of it does: a new operator applies all else."""
    await world.declare()
    await world.settle()
    async with policy(world, "configmaps", WORDS):
        world.restart()
        await world.change(replicas=2, logLevel="DEBUG")
        await world.settle()
        assert WORDS in await refused(world)
        assert [IMAGE, IMAGE] == await world.images()


@pytest.mark.parametrize(
    ("status", "plural"),
    [
        (403, "controllerrevisions"),
        (429, "pods"),
        (500, "deployments"),
        (503, "services"),
        (503, "networkpolicies"),
    ],
)
async def test_a_list_that_fails(world: World, status: int, plural: str) -> None:
    """Nothing of that kind goes, no new revision begins, and one that began may go back."""
    await world.canary()
    before, pods = set(await world.versions()), await uids(world)
    world.restart()
    with answering(world, status, f"/{plural}"):
        await world.settle()
        assert "too busy" in await refused(world)
        assert (before, pods) == (set(await world.versions()), await uids(world))
        await world.change(image=THIRD, expose=INGRESS)
        await world.settle()
        assert [IMAGE, NEXT] == await world.images()
        assert {NAME} == await world.names("networking.k8s.io/v1", "ingresses")
        await world.tell(abort=(await world.rollout())["revision"])
        await world.settle()
        assert [IMAGE] == await world.images()
    await world.settle()
    assert "Canary" == (await world.rollout())["phase"]
    assert [IMAGE, THIRD] == await world.images()


async def test_deployments_that_cannot_be_read(world: World) -> None:
    """Nothing is known of what runs: it stays, and its numbers in the status, too."""
    await world.canary()
    before, told = await uids(world), (await world.status())["replicas"]
    world.restart()
    with answering(world, 503, "/deployments", f"/deployments/{NAME}", f"/{NAME}-canary"):
        await world.change(image=THIRD)
        await world.settle()
        assert "Deployment: " in await refused(world)
        assert (before, told) == (await uids(world), (await world.status())["replicas"])
    await world.settle()
    assert [IMAGE, THIRD] == await world.images()


async def test_a_route_that_is_refused_keeps_its_canary(world: World) -> None:
    """Its pods have requests until the route is set back."""
    route = {"parentRefs": [{"name": "gateway"}], "hostnames": ["orders.test"]}
    async with served(world.kube, HTTP_ROUTE):
        world.restart()
        await world.declare(expose={"httpRoute": route}, rollout={"strategy": "Canary"})
        await world.settle()
        await world.change(image=NEXT)
        await world.settle()
        assert [IMAGE, NEXT] == await world.images()
        with answering(world, 503, f"/httproutes/{NAME}", method="PATCH"):
            await world.tell(abort=(await world.rollout())["revision"])
            await world.settle()
            assert f"HTTPRoute {NAME}: " in await refused(world)
            assert [IMAGE, NEXT] == await world.images()
        await world.settle()
        assert [IMAGE] == await world.images()


async def uids(world: World) -> set[str]:
    """Return the uids of the pods."""
    return {pod["metadata"]["uid"] for pod in await world.pods()}


@pytest.mark.parametrize("status", [403, 503])
async def test_a_secret_that_cannot_be_read(world: World, status: int) -> None:
    """That is not the same as none: it is told so, and pods stay as they are."""
    await world.declare()
    await world.settle()
    before = (await world.deployment())["metadata"]["generation"]
    world.restart()
    with answering(world, status, "/secrets/database"):
        await world.change(image=NEXT)
        await world.settle()
        assert "Secret database: " in await refused(world)
        assert before == (await world.deployment())["metadata"]["generation"]
    await world.settle()
    assert [NEXT] == await world.images()


async def test_secrets_that_must_not_be_listed(world: World) -> None:
    """One that is named is read by its name; without an embedded database that is enough."""
    with answering(world, 403, "/secrets"):
        await world.declare()
        await world.settle()
        assert ("True", "Available") == await world.condition("Ready")


async def test_a_write_without_an_answer(world: World) -> None:
    """The API server was reached, so all else is written."""
    with answering(world, None, f"/services/{NAME}", method="PATCH"):
        await world.declare()
        await world.settle()
        assert "no answer" in await refused(world)
        assert [IMAGE] == await world.images()
    await world.settle()
    assert ("True", "Available") == await world.condition("Ready")


async def test_a_database_that_cannot_be_looked_at(world: World) -> None:
    """Neither its claim nor its pod can be seen to; the rest goes on."""
    await world.declare(database={"embedded": {}})
    database = f"/statefulsets/{NAME}-postgresql"
    with answering(world, 503, database, "/statefulsets"):
        await world.change(replicas=2)
        await world.settle()
        assert "StatefulSet: " in await refused(world)
        assert f"{NAME}-postgresql" not in await world.names("apps/v1", "statefulsets")
    await world.settle()
    assert ("True", "Available") == await world.condition("Ready")


async def test_a_deletion_that_is_refused(world: World) -> None:
    """It is told like any other refusal."""
    await world.declare(expose=INGRESS)
    await world.settle()
    with answering(world, 403, f"/ingresses/{NAME}", method="DELETE"):
        await world.change(expose={"ingress": None})
        await world.settle()
        assert f"Ingress {NAME}: " in await refused(world)
    await world.settle()
    assert ("True", "Available") == await world.condition("Ready")
    assert set() == await world.names("networking.k8s.io/v1", "ingresses")


async def test_discovery_that_fails_takes_nothing_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was served a moment ago is taken to be served, by an operator that has seen it."""
    monkeypatch.setattr("orders_operator.reconcile.discovery.MAX_AGE_SECONDS", 0.0)
    await world.declare()
    await world.settle()
    with answering(world, 503, "/apis"):
        await world.settle()
        assert ("True", "Available") == await world.condition("Ready")
    world.restart()
    with answering(world, 503, "/apis"), pytest.raises(KubeError):
        await world.reconcile()


async def test_a_refusal_that_takes_its_time_is_not_waited_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next passes say what it said, until it is time to ask again."""
    asked: list[str] = []
    monkeypatch.setattr("orders_operator.reconcile.refusals._SLOW_SECONDS", 0.0)
    async with policy(world, "services", WORDS):
        await world.declare()
        write = world.operator.kube.request

        async def noted(method: str, url: str, *how: Any, **more: Any) -> Any:
            if method == "PATCH" and "/services/" in url:
                asked.append(url)
            return await write(method, url, *how, **more)

        monkeypatch.setattr(world.operator.kube, "request", noted)
        await world.reconcile()
        await world.reconcile()
        assert 1 == len(asked)
        world.clock.wait(3600)
        await world.reconcile()
        assert 2 == len(asked)
        assert WORDS in await refused(world)


async def test_revisions_that_cannot_be_listed_keep_their_numbers(world: World) -> None:
    """Which one came last is not known then, nor all of any: none is written."""
    await world.declare()
    for image in (IMAGE, NEXT, THIRD):
        await world.change(image=image)
        await world.settle()
    before = await revisions(world)
    assert 3 == max(before.values())
    world.restart()
    with answering(world, 503, "/controllerrevisions"):
        await world.settle()
        assert "PATCH" not in await refused(world)
    assert before == await revisions(world)


async def revisions(world: World) -> dict[str, int]:
    """Return the numbers of the ControllerRevisions."""
    found = await world.kube.list("apps/v1", "controllerrevisions", world.namespace)
    return {it["metadata"]["name"]: it["revision"] for it in found}


async def test_what_is_found_by_its_name_alone_is_not_deleted(world: World) -> None:
    """A list that fails deletes nothing of its kind, also of what was read for another reason."""
    await world.declare()
    await world.settle()
    world.restart()
    with answering(world, 503, "/networkpolicies"):
        await world.change(networkPolicy={"enabled": False})
        await world.settle()
        assert NAME in await world.names("networking.k8s.io/v1", "networkpolicies")
    await world.settle()
    assert NAME not in await world.names("networking.k8s.io/v1", "networkpolicies")


async def test_no_claim_is_left_behind_while_pods_are_not_known(world: World) -> None:
    """The command that deletes its orders is told when no pod uses them, and not before."""
    await world.declare(database={"embedded": {}})
    await world.settle()
    world.kubelet.lingering = True
    leaving = {"embedded": None, "secretRef": {"name": "database"}}
    await world.change(database=leaving)
    await world.settle()
    world.restart()
    with answering(world, 503, "/pods"):
        await world.settle()
        assert "retainedClaim" not in await world.status()
    world.kubelet.lingering = False
    await world.settle()
    assert f"data-{NAME}-postgresql-0" == (await world.status())["retainedClaim"]["name"]
