"""The pod of an embedded database: what it takes of a spec, and what is told when it fails."""

from typing import Any, Final

import pytest

from orders_operator.resources.database_revision import POD_TEMPLATE
from orders_operator.resources.labels import COMPONENT, DATABASE
from tests.helpers.apiserver.fake_kubelet import Fate
from tests.helpers.apiserver.operator_namespace import NAME, World
from tests.helpers.apiserver.refusals import answering
from tests.helpers.apiserver.statefulset_controller import PROTECTION

POD: Final = f"{NAME}-postgresql-0"
STATEFUL_SET: Final = f"{NAME}-postgresql"
SPOT: Final = {"key": "spot", "operator": "Exists"}
POSTGRES: Final = "postgres:17"
ABSENT: Final = "postgres:absent"


async def spec_of(world: World) -> dict[str, Any]:
    """Return the spec of the database's pod."""
    return dict((await world.get("v1", "pods", POD))["spec"])


async def test_the_pod_takes_what_is_declared_of_all_pods(world: World) -> None:
    """It is replaced by one with the tolerations; its claim is the same."""
    await world.declare(database={"embedded": {}})
    await world.settle()
    before = await world.get("v1", "persistentvolumeclaims", f"data-{POD}")
    await world.change(
        podTemplate={"tolerations": [SPOT], "nodeSelector": {"disk": "fast"}},
        inheritedMetadata={"labels": {"team": "shop"}},
    )
    await world.settle()

    spec = await spec_of(world)
    assert SPOT in spec["tolerations"]
    assert "nodeSelector" not in spec
    assert before == await world.get("v1", "persistentvolumeclaims", f"data-{POD}")
    labels = (await world.get("apps/v1", "statefulsets", STATEFUL_SET))["metadata"]["labels"]
    assert "shop" == labels["team"]
    assert ("True", "Available") == await world.condition("Ready")


async def test_an_upgrade_alone_leaves_the_pod(world: World) -> None:
    """A ControllerRevision of a release that kept nothing of podTemplate is completed only."""
    await world.declare(database={"embedded": {}})
    await world.settle()
    for found in await world.kube.list("apps/v1", "controllerrevisions", world.namespace):
        if found["metadata"]["labels"][COMPONENT] == DATABASE:
            where = world.url("apps/v1", "controllerrevisions", found["metadata"]["name"])
            gone = {"metadata": {"annotations": {POD_TEMPLATE: None}}}
            await world.kube.merge(where, gone)
    before = await world.get("v1", "pods", POD)
    generation = (await world.get("apps/v1", "statefulsets", STATEFUL_SET))["metadata"][
        "generation"
    ]
    await world.change(podTemplate={"tolerations": [SPOT]})  # as it was declared all along
    world.restart()
    await world.settle()

    after = await world.get("apps/v1", "statefulsets", STATEFUL_SET)
    assert generation == after["metadata"]["generation"]
    assert before["metadata"]["uid"] == (await world.get("v1", "pods", POD))["metadata"]["uid"]

    await world.change(podTemplate={"tolerations": [SPOT], "priorityClassName": None})
    await world.change(inheritedMetadata={"annotations": {"note": "new"}})
    await world.settle()
    assert SPOT in (await spec_of(world))["tolerations"]


async def test_a_database_that_crashes_is_told(world: World) -> None:
    """Degraded has its words until it serves."""
    world.kubelet.fates[POSTGRES] = Fate.CRASHING
    await world.declare(database={"embedded": {}})
    await world.settle()
    assert ("True", "PodCrashing") == await world.condition("Degraded")
    said = (await world.said("Degraded"))["message"]
    assert "The embedded database: it cannot serve" == said

    world.kubelet.fates[POSTGRES] = Fate.READY
    await world.settle()
    assert ("False", "AsExpected") == await world.condition("Degraded")


async def declared_pod(world: World, **embedded: Any) -> tuple[str, Any]:
    """Declare the database; return the uid of its pod, and the claim, once all is calm."""
    await world.change(database={"embedded": embedded})
    await world.settle()
    claim = await world.get("v1", "persistentvolumeclaims", f"data-{POD}")
    return (await world.get("v1", "pods", POD))["metadata"]["uid"], claim["metadata"]["uid"]


@pytest.mark.parametrize("fate", [Fate.UNPULLED, Fate.MISNAMED])
async def test_a_bad_image_of_the_database_is_taken_back(world: World, fate: Fate) -> None:
    """Nobody deletes the pod that never was ready: the StatefulSet goes to none, and back."""
    world.kubelet.fates[ABSENT] = fate
    await world.declare(database={"embedded": {}})
    await world.settle()
    template = (await world.get("apps/v1", "statefulsets", STATEFUL_SET))["spec"]["template"]
    bad, claim = await declared_pod(world, image=ABSENT)
    assert ("True", "ImagePullFailed") == await world.condition("Degraded")

    good, kept = await declared_pod(world, image=None)
    assert (True, claim) == (good != bad, kept)
    found = await world.get("apps/v1", "statefulsets", STATEFUL_SET)
    assert (1, template) == (found["spec"]["replicas"], found["spec"]["template"])
    assert POSTGRES == (await spec_of(world))["containers"][0]["image"]
    assert ("False", "AsExpected") == await world.condition("Degraded")
    assert ("True", "Available") == await world.condition("Ready")


async def test_it_is_taken_back_by_whichever_operator(world: World) -> None:
    """Each pass is that of a new process, and while the pod goes there is none to come."""
    world.kubelet.fates[ABSENT] = Fate.UNPULLED
    await world.declare(database={"embedded": {"image": ABSENT}})
    await world.settle()
    bad = (await world.get("v1", "pods", POD))["metadata"]["uid"]
    world.kubelet.lingering = True
    await world.change(database={"embedded": {"image": None}})
    for _ in range(6):
        world.restart()
        await world.reconcile()
        await world.calm()
    found = await world.get("apps/v1", "statefulsets", STATEFUL_SET)
    assert 0 == found["spec"]["replicas"]
    assert bad == (await world.get("v1", "pods", POD))["metadata"]["uid"]

    world.kubelet.lingering = False
    for _ in range(3):
        world.restart()
        await world.reconcile()
        await world.calm()
    assert POSTGRES == (await spec_of(world))["containers"][0]["image"]
    await world.settle()
    assert ("True", "Available") == await world.condition("Ready")


async def test_a_database_that_was_ready_is_left_to_its_stateful_set(world: World) -> None:
    """One that crashes after it has served is not scaled away, whatever is declared since."""
    await world.declare(database={"embedded": {}})
    await world.settle()
    world.kubelet.fates[POSTGRES] = Fate.CRASHING
    await world.calm()
    before = (await world.get("v1", "pods", POD))["metadata"]["uid"]
    assert before == (await declared_pod(world, image="postgres:17.1"))[0]
    found = await world.get("apps/v1", "statefulsets", STATEFUL_SET)
    assert 1 == found["spec"]["replicas"]


async def test_a_database_that_starts_is_not_disturbed(world: World) -> None:
    """It may be preparing its data; once it is ready its StatefulSet replaces it."""
    world.kubelet.fates[POSTGRES] = Fate.STARTING
    await world.declare(database={"embedded": {}})
    await world.settle()
    before = (await world.get("v1", "pods", POD))["metadata"]["uid"]
    assert before == (await declared_pod(world, image="postgres:17.1"))[0]
    world.kubelet.fates.clear()
    await world.settle()
    assert "postgres:17.1" == (await spec_of(world))["containers"][0]["image"]


async def test_a_pod_that_a_policy_refuses_is_told(world: World) -> None:
    """The API server's words are those of an Event; without the refusal the pod comes."""
    await world.label(**{"pod-security.kubernetes.io/enforce": "restricted"})
    await world.declare(database={"embedded": {"volumePermissions": True}})
    await world.settle()
    assert ("True", "PodsRefused") == await world.condition("Degraded")
    said = (await world.said("Degraded"))["message"]
    assert said.startswith("The embedded database: ")
    assert 'violates PodSecurity "restricted' in said

    await world.change(database={"embedded": {"volumePermissions": False}})
    await world.settle()
    assert ("False", "AsExpected") == await world.condition("Degraded")
    assert ("True", "Available") == await world.condition("Ready")


async def test_a_pod_that_a_quota_refuses_is_told(world: World) -> None:
    """The database's first, for want of which all others fail; then the service's own."""
    await world.quota(**{"count/pods": "0"})
    await world.declare(database={"embedded": {}})
    await world.settle()
    said = await world.said("Degraded")
    assert "PodsRefused" == said["reason"]
    assert said["message"].startswith("The embedded database: ")
    assert "exceeded quota: few" in said["message"]

    await world.delete("v1", "resourcequotas", "few")
    await world.settle()
    assert ("True", "Available") == await world.condition("Ready")


async def test_a_claim_that_is_being_deleted_keeps_its_pod(world: World) -> None:
    """Its orders go with that pod, so a person says when; else it is taken back as always."""
    world.kubelet.fates[ABSENT] = Fate.UNPULLED
    await world.declare(database={"embedded": {"image": ABSENT}})
    await world.settle()
    bad = (await world.get("v1", "pods", POD))["metadata"]["uid"]
    where = world.url("v1", "persistentvolumeclaims", f"data-{POD}")
    await world.kube.merge(where, {"metadata": {"finalizers": [PROTECTION]}})
    await world.kube.request("DELETE", where)
    assert bad == (await declared_pod(world, image=None))[0]
    said = await world.said("Degraded")
    assert f"its claim data-{POD} is being deleted" in said["message"]
    assert 1 == (await world.get("apps/v1", "statefulsets", STATEFUL_SET))["spec"]["replicas"]

    await world.kube.merge(where, {"metadata": {"finalizers": None}})
    await world.settle()
    assert POSTGRES == (await spec_of(world))["containers"][0]["image"]
    assert ("True", "Available") == await world.condition("Ready")


@pytest.mark.parametrize("status", [403, 503])
async def test_a_claim_that_cannot_be_read_keeps_its_pod(world: World, status: int) -> None:
    """It is not known whether the orders outlive the pod, and that is told."""
    world.kubelet.fates[ABSENT] = Fate.UNPULLED
    await world.declare(database={"embedded": {"image": ABSENT}})
    await world.settle()
    bad = (await world.get("v1", "pods", POD))["metadata"]["uid"]
    with answering(world, status, f"/persistentvolumeclaims/data-{POD}"):
        assert bad == (await declared_pod(world, image=None))[0]
        said = await world.said("Degraded")
        assert "ApplyFailed" == said["reason"]
        assert f"PersistentVolumeClaim data-{POD}: " in said["message"]
    await world.settle()
    assert ("True", "Available") == await world.condition("Ready")
