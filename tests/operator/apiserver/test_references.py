"""The Secrets and ConfigMaps that a spec names: missing, there again, and with new content."""

from orders_operator.resources.references import Reference
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World

MODE = {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}}


async def test_a_service_waits_for_its_secret(world: World) -> None:
    """Without its Secret nothing is begun, and with it all is."""
    await world.declare(database={"secretRef": {"name": "later"}})
    await world.settle()
    assert ("True", "SecretMissing") == await world.condition("Degraded")
    assert "Secret later does not exist" in (await world.said("Degraded"))["message"]
    assert [] == await world.pods()
    await world.secret("later", "postgresql://a:b@db/orders")
    await world.settle()
    assert ("True", "Available") == await world.condition("Ready")


async def test_a_secret_without_the_key_is_no_secret(world: World) -> None:
    """A key that is missing is told by its name."""
    await world.declare(database={"secretRef": {"name": "database", "key": "uri"}})
    await world.settle()
    assert "Secret database has no key uri" in (await world.said("Degraded"))["message"]


async def test_pods_outlive_their_secret(world: World) -> None:
    """A Secret that disappears leaves pods, Deployment and NetworkPolicy as they are."""
    await world.declare()
    await world.settle()
    before = await world.deployment()
    policy = await world.get("networking.k8s.io/v1", "networkpolicies", NAME)
    pods = {pod["metadata"]["uid"] for pod in await world.pods()}
    await world.delete("v1", "secrets", "database")
    await world.settle()
    assert ("True", "SecretMissing") == await world.condition("Degraded")
    assert before["spec"] == (await world.deployment())["spec"]
    after = await world.get("networking.k8s.io/v1", "networkpolicies", NAME)
    assert policy["spec"] == after["spec"]
    assert pods == {pod["metadata"]["uid"] for pod in await world.pods()}


async def test_a_secret_that_stable_pods_alone_read_is_missed(world: World) -> None:
    """A canary has another one and goes on; but a stable pod that starts again would fail."""
    await world.secret("other", "postgresql://a:b@db/orders")
    await world.declare(rollout={"strategy": "Canary"})
    await world.settle()
    await world.change(database={"secretRef": {"name": "other"}})
    await world.settle()
    await world.delete("v1", "secrets", "database")
    await world.settle()
    rollout, said = await world.rollout(), await world.said("Degraded")
    assert ("Canary", "SecretMissing") == (rollout["phase"], said["reason"])
    text = f"Secret database does not exist, which the stable revision {rollout['stable']} reads"
    assert text == said["message"]
    await world.tell(promote=rollout["revision"])
    await world.settle()
    assert ("False", "AsExpected") == await world.condition("Degraded")


async def test_an_image_that_comes_without_its_secret_waits(world: World) -> None:
    """A new revision is not begun while a Secret is missing, and is when it is there again."""
    await world.declare()
    await world.settle()
    await world.delete("v1", "secrets", "database")
    await world.change(image=NEXT)
    await world.settle()
    assert [IMAGE] == await world.images()
    await world.secret("database", "postgresql://a:b@db/orders")
    await world.settle()
    assert [NEXT] == await world.images()


async def test_a_rotated_secret_reaches_the_pods(world: World) -> None:
    """New content of a Secret replaces the pods, one by one."""
    await world.declare(replicas=2)
    await world.settle()
    before = {pod["metadata"]["uid"] for pod in await world.pods()}
    await world.secret("database", "postgresql://orders:other@db/orders")
    await world.settle()
    after = {pod["metadata"]["uid"] for pod in await world.pods()}
    assert (2, set()) == (len(after), before & after)
    assert ("True", "Available") == await world.condition("Ready")


async def test_an_optional_reference_may_be_missing(world: World) -> None:
    """What is optional is not waited for."""
    source = {"secretKeyRef": {"name": "none", "key": "x", "optional": True}}
    await world.declare(podTemplate={"env": [{"name": "X", "valueFrom": source}]})
    await world.settle()
    assert ("True", "Available") == await world.condition("Ready")


async def test_headers_of_tracing_are_a_secret_too(world: World) -> None:
    """The Secret with the collector's headers is waited for, and its port is opened."""
    tracing = {
        "endpoint": "http://collector:4999",
        "headersSecretRef": {"name": "headers", "key": "headers"},
    }
    await world.declare(tracing=tracing)
    await world.settle()
    assert "Secret headers does not exist" in (await world.said("Degraded"))["message"]
    await world.secret("headers", "", headers="a=b")
    await world.settle()
    assert 4999 in await world.ports()


async def test_both_ports_are_open_while_pods_use_both(world: World) -> None:
    """Until the old pods are gone their database can be reached as well as the new pods'."""
    await world.secret("database", "postgresql://a:b@db:6543/orders")
    await world.secret("other", "postgresql://a:b@db:6544/orders")
    await world.declare()
    await world.settle()
    world.kubelet.lingering = True
    await world.change(database={"secretRef": {"name": "other"}})
    await world.settle()
    assert {6543, 6544} <= await world.ports()
    world.kubelet.lingering = False
    await world.settle()
    ports = await world.ports()
    assert (False, True) == (6543 in ports, 6544 in ports)


async def test_what_a_spec_names_is_found_again(world: World) -> None:
    """Whatever a spec names wakes its OrderService, and nothing that it named before."""
    await world.config("settings", mode="slow")
    await world.declare(podTemplate={"env": [MODE]})
    await world.settle()
    index = world.operator.index
    assert {world.key} == index.namers(world.namespace, Reference("secrets", "database"))
    assert {world.key} == index.namers(world.namespace, Reference("configmaps", "settings"))
    await world.change(podTemplate=None)
    await world.settle()
    assert set() == index.namers(world.namespace, Reference("configmaps", "settings"))
