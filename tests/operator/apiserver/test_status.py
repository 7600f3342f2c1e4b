"""What the operator says: conditions, Events, and what it says while it does nothing."""

import asyncio
import itertools
from copy import deepcopy

from orders_operator.api.crd import definition
from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.errors import KubeError
from tests.helpers.apiserver.fake_kubelet import Fate
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World
from tests.helpers.server import eventually


async def test_status_says_which_generation_it_is_of(world: World) -> None:
    """Status and all its conditions are of the generation that was reconciled."""
    await world.declare()
    await world.settle()
    await world.change(logLevel="DEBUG")
    before = await world.status()
    await world.reconcile()
    after = await world.status()
    assert (1, 2) == (before["observedGeneration"], after["observedGeneration"])
    assert {1} == {it["observedGeneration"] for it in before["conditions"]}
    assert {2} == {it["observedGeneration"] for it in after["conditions"]}


async def test_nobody_has_looked_yet(world: World) -> None:
    """A new resource says so itself, so that nobody takes it for done, and only until then."""
    await world.declare(paused=True)
    assert {"observedGeneration": -1} == await world.status()
    await world.reconcile()
    status = await world.status()
    assert 1 == status["observedGeneration"]
    assert {"Paused", "Reconciling", "Stalled"} == {it["type"] for it in status["conditions"]}


async def test_a_generation_that_is_left_alone_was_seen(world: World) -> None:
    """Paused, the status is of the change that nothing was done about."""
    await world.declare()
    await world.settle()
    assert ("False", "RolledOut") == await world.condition("Reconciling")
    await world.change(paused=True)
    await world.change(image=NEXT)
    await world.settle()
    assert 3 == (await world.status())["observedGeneration"]
    assert ("True", "Paused") == await world.condition("Reconciling")
    assert 3 == (await world.said("Stalled"))["observedGeneration"]
    assert 1 == (await world.said("Ready"))["observedGeneration"]


async def test_what_failed_is_given_up_until_something_changes(world: World) -> None:
    """Rolled back is Stalled; the next revision is Reconciling while its Secret is missing."""
    await world.declare()
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.CRASHING
    await world.change(image=NEXT)
    await world.settle()
    assert "RolledBack" == (await world.status())["rollout"]["phase"]
    assert ("True", "RolledBack") == await world.condition("Stalled")
    assert ("False", "RolledBack") == await world.condition("Reconciling")
    await world.change(database={"secretRef": {"name": "later"}})
    await world.settle()
    assert ("True", "SecretMissing") == await world.condition("Reconciling")
    assert ("False", "AsExpected") == await world.condition("Stalled")
    await world.change(image=IMAGE, database={"secretRef": {"name": "database"}})
    await world.settle()
    assert ("False", "RolledOut") == await world.condition("Reconciling")


async def test_a_transition_is_one_event(world: World) -> None:
    """What becomes different is told once, and what stays is not told again."""
    await world.declare()
    await world.settle()
    assert [("Normal", "Available"), ("Normal", "Migrated")] == sorted(
        it for it in await world.events() if it[1] in {"Available", "Migrated"}
    )
    before = await world.events()
    await world.settle()
    assert before == await world.events()


async def test_a_failure_is_one_event(world: World) -> None:
    """A pod that crashes is a warning, and one only, though it changes several conditions."""
    world.kubelet.fates[IMAGE] = Fate.CRASHING
    await world.declare()
    await world.settle()
    assert [("Warning", "PodCrashing")] == [
        it for it in await world.events() if it[0] == "Warning"
    ]


async def test_the_time_of_a_condition_is_that_of_its_change(world: World) -> None:
    """A condition that stays what it was keeps its time."""
    await world.declare()
    await world.settle()
    before = {it["type"]: it["lastTransitionTime"] for it in (await world.status())["conditions"]}
    world.clock.wait(60)
    await world.change(paused=True)
    await world.settle()
    after = {it["type"]: it["lastTransitionTime"] for it in (await world.status())["conditions"]}
    changed = {kind for kind in before if before[kind] != after[kind]}
    assert {"Paused", "Reconciling"} == changed


async def test_a_paused_service_is_left_alone(world: World) -> None:
    """While `paused` is set nothing is made, changed, or put back; afterwards all is."""
    await world.declare()
    await world.settle()
    await world.change(paused=True, image=NEXT)
    await world.delete("v1", "services", NAME)
    await world.settle()
    assert ("True", "Paused") == await world.condition("Paused")
    assert [IMAGE] == await world.images()
    assert await world.find("v1", "services", NAME) is None
    await world.change(paused=False)
    await world.settle()
    assert ("False", "Reconciling") == await world.condition("Paused")
    assert [NEXT] == await world.images()
    assert await world.find("v1", "services", NAME) is not None


async def test_a_spec_that_cannot_be_read_changes_nothing(world: World) -> None:
    """An object from before the CRD's rules is a condition, and its pods stay as they are."""
    await world.declare()
    await world.settle()
    too_many = itertools.count(100_000)
    loose = deepcopy(definition())
    spec = loose["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    del spec["properties"]["replicas"]["maximum"]
    await world.kube.apply("customresourcedefinitions", loose, manager="helm")
    try:
        await eventually(lambda: _accepted(world, replicas=next(too_many)))
    finally:
        await world.kube.apply("customresourcedefinitions", definition(), manager="helm")
    await eventually(lambda: _refused(world, replicas=next(too_many)))
    await world.settle()
    assert ("True", "InvalidSpec") == await world.condition("Degraded")
    assert "spec.replicas" in (await world.said("Degraded"))["message"]
    assert ("True", "Available") == await world.condition("Ready")
    assert ("True", "InvalidSpec") == await world.condition("Stalled")
    generation = (await world.resource())["metadata"]["generation"]
    assert generation == (await world.status())["observedGeneration"]
    assert [IMAGE] == await world.images()
    await world.change(replicas=1)
    await world.settle()
    assert ("False", "AsExpected") == await world.condition("Degraded")


async def test_metrics_say_what_the_conditions_say(world: World) -> None:
    """Each condition is a gauge, and so is the phase of the rollout."""
    await world.declare()
    await world.settle()
    _, exposed = world.operator.metrics.expose("text/plain")
    lines = exposed.decode().splitlines()
    mine = [it for it in lines if f'namespace="{world.namespace}"' in it and it.endswith(" 1.0")]
    assert [it for it in mine if 'status="True",type="Ready"' in it]
    assert [it for it in mine if 'phase="Stable"' in it]


async def test_an_image_that_says_nothing_of_its_schema(world: World) -> None:
    """Without migrations the version is that of the image, once it serves."""
    await world.declare(migrations={"enabled": False})
    await world.settle()
    assert "1" == (await world.status())["version"]
    assert ("Unknown", "MigrationsDisabled") == await world.condition("Migrated")


async def test_the_url_is_the_one_outside_where_there_is_one(world: World) -> None:
    """A service that an Ingress exposes is found under its name."""
    await world.declare(expose={"ingress": {"host": "orders.test", "tlsSecretName": "tls"}})
    await world.settle()
    assert "https://orders.test" == (await world.status())["url"]
    await world.change(expose={"ingress": None})
    await world.settle()
    assert f"http://{NAME}.{world.namespace}.svc" == (await world.status())["url"]
    assert set() == await world.names("networking.k8s.io/v1", "ingresses")


async def test_a_service_that_is_deleted_while_it_is_reported(world: World) -> None:
    """A status that comes too late is no failure."""
    await world.declare()
    await asyncio.gather(world.reconcile(), world.delete(API_VERSION, PLURAL, NAME))
    assert await world.find(API_VERSION, PLURAL, NAME) is None


async def _accepted(world: World, **spec: object) -> bool:
    try:
        await world.change(**spec)
    except KubeError:
        return False
    return True


async def _refused(world: World, **spec: object) -> bool:
    return not await _accepted(world, **spec)
