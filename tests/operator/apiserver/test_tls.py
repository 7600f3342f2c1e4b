"""TLS comes and goes by a rollout, in which pods that speak HTTP and HTTPS serve side by side."""

from typing import Any

from orders_operator.plugin.load import proxied
from tests.helpers.apiserver.fake_kubelet import named
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, World

TLS: dict[str, Any] = {"secretRef": {"name": "certificate"}}
INGRESS = {"ingress": {"host": "shop.example.com"}}


async def certificate(world: World, said: str) -> None:
    """Have a Secret as cert-manager makes it."""
    made = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "certificate", "namespace": world.namespace},
        "stringData": {"tls.crt": said, "tls.key": said, "ca.crt": "an authority"},
    }
    await world.kube.apply("secrets", made, manager="cert-manager")


async def ports(world: World) -> dict[str, tuple[int, int | str]]:
    """Return the ports of the API's Service, by name."""
    found = await world.get("v1", "services", NAME)
    api = [it for it in found["spec"]["ports"] if it["name"] != "metrics"]
    return {it["name"]: (it["port"], it["targetPort"]) for it in api}


async def exposed(world: World) -> str:
    """Return the port to which the Ingress leads."""
    found = await world.get("networking.k8s.io/v1", "ingresses", NAME)
    [rule] = found["spec"]["rules"]
    return str(rule["http"]["paths"][0]["backend"]["service"]["port"]["name"])


async def test_tls_comes_in_by_a_canary(world: World) -> None:
    """Both ports are there, each for its own pods; the Ingress leads to most pods that serve."""
    await certificate(world, "1")
    await world.declare(replicas=4, expose=INGRESS, rollout={"strategy": "Canary"})
    await world.settle()
    assert ({"http": (80, 8000)}, "http") == (await ports(world), await exposed(world))
    assert f"{NAME}:http" == await proxied(world.kube, *world.key)

    await world.change(tls=TLS)
    await world.settle()
    assert "Canary" == (await world.rollout())["phase"]
    both = {"http": (80, "http"), "https": (443, "orders-https")}
    assert (both, "http") == (await ports(world), await exposed(world))
    assert f"{NAME}:http" == await proxied(world.kube, *world.key)

    await world.tell(promote=(await world.rollout())["revision"])
    await world.settle()
    assert "Stable" == (await world.rollout())["phase"]
    assert ({"https": (443, 8000)}, "https") == (await ports(world), await exposed(world))
    assert f"https:{NAME}:https" == await proxied(world.kube, *world.key)
    assert "http://shop.example.com" == (await world.status())["url"]


async def test_tls_that_is_aborted_leaves_what_was(world: World) -> None:
    """The Service is as it was before, and nobody's port is gone meanwhile."""
    await certificate(world, "1")
    await world.declare(rollout={"strategy": "Canary"})
    await world.settle()
    await world.change(tls=TLS)
    await world.settle()
    await world.tell(abort=(await world.rollout())["revision"])
    await world.settle()
    assert "RolledBack" == (await world.rollout())["phase"]
    assert {"http": (80, 8000)} == await ports(world)


async def test_a_certificate_that_is_rotated_rolls_nothing(world: World) -> None:
    """Pods of both tracks mount the Secret as it is, and take what is in it."""
    await certificate(world, "1")
    await world.canary(tls=TLS)
    before = [(await world.deployment(it))["metadata"]["generation"] for it in ("", "-canary")]
    mounted = {it for pod in await world.pods() for it in named(pod["spec"])}
    assert ("secrets", "certificate") in mounted
    await certificate(world, "2")
    await world.settle()
    after = [(await world.deployment(it))["metadata"]["generation"] for it in ("", "-canary")]
    assert before == after


async def test_without_its_certificate_nothing_begins(world: World) -> None:
    """What is missing is named; pods go on as they are, and the rest follows by itself."""
    await world.declare()
    await world.settle()
    await world.change(tls=TLS)
    await world.settle()
    found = await world.said("Degraded")
    assert ("SecretMissing", "Secret certificate does not exist") == (
        found["reason"],
        found["message"],
    )
    assert {"http": (80, 8000)} == await ports(world)
    await certificate(world, "1")
    await world.settle()
    assert {"https": (443, 8000)} == await ports(world)
    assert [IMAGE] == await world.images()
