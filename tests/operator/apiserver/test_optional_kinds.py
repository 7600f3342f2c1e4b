"""What an operator does of kinds that a cluster may lack: Prometheus' and the Gateway API's."""

from orders_operator.resources.kinds import HTTP_ROUTE, SERVICE_MONITOR
from tests.helpers.apiserver.operator_namespace import NAME, NEXT, World
from tests.helpers.apiserver.optional_kinds import served
from tests.helpers.apiserver.track_metrics import traffic

MONITORS = (SERVICE_MONITOR.api_version, SERVICE_MONITOR.plural)
ROUTES = (HTTP_ROUTE.api_version, HTTP_ROUTE.plural)
ROUTE = {"parentRefs": [{"name": "gateway"}], "hostnames": ["orders.test"]}


async def test_monitoring_waits_for_its_kind(world: World) -> None:
    """Without the kind ServiceMonitor that is said, and all else is as it should be."""
    await world.declare(monitoring={"enabled": True})
    await world.settle()
    assert ("False", "CRDMissing") == await world.condition("MonitoringReady")
    assert ("True", "Available") == await world.condition("Ready")
    async with served(world.kube, SERVICE_MONITOR):
        world.restart()
        await world.settle()
        assert {NAME} == await world.names(*MONITORS)
        assert ("True", "ServiceMonitorApplied") == await world.condition("MonitoringReady")
        await world.change(monitoring={"enabled": False})
        await world.settle()
        assert set() == await world.names(*MONITORS)
        assert ("False", "MonitoringDisabled") == await world.condition("MonitoringReady")


async def test_an_answer_of_discovery_is_kept_for_a_while(world: World) -> None:
    """Which kinds there are is not asked at each pass."""
    await world.declare()
    await world.settle()
    asked = []
    serves = world.operator.kube.serves

    async def counted(api_version: str) -> frozenset[str]:
        asked.append(api_version)
        return await serves(api_version)

    world.operator.kube.serves = counted  # type: ignore[method-assign]
    await world.settle()
    assert [] == asked


async def test_a_route_waits_for_its_kind(world: World) -> None:
    """Without the kind HTTPRoute the service is degraded, for nobody outside finds it."""
    await world.declare(expose={"httpRoute": ROUTE})
    await world.settle()
    assert ("True", "CRDMissing") == await world.condition("Degraded")
    async with served(world.kube, HTTP_ROUTE):
        world.restart()
        await world.settle()
        assert {NAME} == await world.names(*ROUTES)
        assert ("False", "AsExpected") == await world.condition("Degraded")
        assert "http://orders.test" == (await world.status())["url"]


async def test_a_gateway_gives_a_canary_its_share(world: World) -> None:
    """With a Gateway the weight is exact, and goes to the canary once it serves."""
    steps = [{"weight": 10, "duration": "10s"}]
    canary = {"steps": steps, "analysis": {"interval": "10s"}}
    async with served(world.kube, HTTP_ROUTE), traffic(world.kubelet):
        world.restart()
        await world.declare(
            replicas=2,
            expose={"httpRoute": ROUTE},
            rollout={"strategy": "Canary", "canary": canary, "bake": "10s"},
        )
        await world.settle()
        assert {f"{NAME}-stable": 100, f"{NAME}-canary": 0} == await _weights(world)
        await world.change(image=NEXT)
        await world.reconcile()
        assert {f"{NAME}-stable": 100, f"{NAME}-canary": 0} == await _weights(world)
        await world.settle()
        assert {f"{NAME}-stable": 90, f"{NAME}-canary": 10} == await _weights(world)
        for phase in ("Baking", "Stable"):
            world.clock.wait(11)
            await world.settle()
            assert phase == (await world.rollout())["phase"]
        assert {f"{NAME}-stable": 100, f"{NAME}-canary": 0} == await _weights(world)


async def test_a_route_does_not_lead_to_somebody_else(world: World) -> None:
    """Where the Service's name is taken, there is no route to it."""
    port = {"ports": [{"port": 1}]}
    made = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME}, "spec": port}
    await world.kube.create("services", made, namespace=world.namespace)
    async with served(world.kube, HTTP_ROUTE):
        world.restart()
        await world.declare(expose={"httpRoute": ROUTE})
        await world.settle()
        assert set() == await world.names(*ROUTES)
        assert ("True", "NameConflict") == await world.condition("Degraded")


async def _weights(world: World) -> dict[str, int]:
    route = await world.get(*ROUTES, NAME)
    [rule] = route["spec"]["rules"]
    return {it["name"]: it.get("weight", 100) for it in rule["backendRefs"]}
