"""The pod of an embedded database: what it takes of a spec, and what is told when it fails."""

from typing import Any, Final

from orders_operator.resources.database_revision import POD_TEMPLATE
from orders_operator.resources.labels import COMPONENT, DATABASE
from tests.apiserver.kubelet import Fate
from tests.apiserver.world import NAME, World

POD: Final = f"{NAME}-postgresql-0"
STATEFUL_SET: Final = f"{NAME}-postgresql"
SPOT: Final = {"key": "spot", "operator": "Exists"}
POSTGRES: Final = "postgres:17"


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
