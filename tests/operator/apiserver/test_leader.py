"""What wakes an operator: watches, the list, and kinds and namespaces that come and go."""

import asyncio
import gc
import threading
from collections.abc import Iterator

import pytest

from orders_operator import definition
from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.client.kube import path
from orders_operator.client.partial import PARTIAL_LIST
from orders_operator.handlers import Watches
from orders_operator.resources.kinds import SERVICE_MONITOR
from orders_operator.watch_events import WatchEvent
from tests.helpers.apiserver.api_server import OPERATOR, ApiServer
from tests.helpers.apiserver.fake_kubelet import Fate
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World
from tests.helpers.apiserver.optional_kinds import served
from tests.helpers.apiserver.running_leader import (
    Working,
    becomes,
    is_condition,
    is_rolled_out,
    working,
)
from tests.helpers.server import eventually

pytestmark = pytest.mark.filterwarnings(
    # Kopf leaves the sockets of its watches to the collector.
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ask more often which kinds and namespaces there are, and wait for no other release."""
    monkeypatch.setattr("orders_operator.scopes.GRACE_SECONDS", 0.0)
    monkeypatch.setattr("orders_operator.leader.DISCOVERY_SECONDS", 0.2)
    monkeypatch.setattr("orders_operator.reconcile.discovery.MAX_AGE_SECONDS", 0.1)
    yield
    gc.collect()  # so that no other test is blamed for what is not closed


async def test_what_is_declared_is_seen(world: World) -> None:
    """An OrderService that is declared, changed and deleted is reconciled each time."""
    async with working(world.namespace) as it:
        await world.declare()
        await becomes(world, is_rolled_out(world))
        await world.change(image=NEXT)

        async def replaced() -> bool:
            return await world.images() == [NEXT]

        await becomes(world, replaced)
        await world.delete(API_VERSION, PLURAL, NAME)
        await eventually(lambda: not it.metrics.keys())
        assert it.watchdog.failure() is None


async def test_what_was_there_before_is_seen(world: World) -> None:
    """A leader begins with what there is, in the whole cluster if it has no namespaces."""
    await world.declare()
    async with working():
        await becomes(world, is_rolled_out(world))


async def test_what_a_spec_names_wakes_it(world: World) -> None:
    """A Secret that comes late is seen by its name, though it is not labelled."""
    await world.declare(database={"secretRef": {"name": "later"}})
    async with working(world.namespace):
        await becomes(world, is_condition(world, "Degraded", "True", "SecretMissing"))
        await world.secret("later", "postgresql://a:b@db/orders")
        await becomes(world, is_rolled_out(world))


async def test_neighbours_are_not_looked_at(world: World) -> None:
    """Secrets and ConfigMaps that no spec names come no further than their names."""
    await world.declare()
    await world.config("neighbour", content="x" * 100_000)
    for plural in ("secrets", "configmaps"):
        url = path("v1", plural, world.namespace)
        found = await world.kube.request("GET", url, accept=PARTIAL_LIST)
        assert "PartialObjectMetadataList" == found["kind"]
        assert {"apiVersion", "kind", "metadata"} == {key for it in found["items"] for key in it}
    async with working(world.namespace) as it:
        seen = note_events(it)
        await becomes(world, is_rolled_out(world))
        await world.config("neighbour", content="y")
        await world.secret("neighbour", "postgresql://a:b@db/orders")
        seen.clear()
        await world.secret("database", "postgresql://c:d@db/orders")
        await eventually(lambda: bool({"secrets"} & {it.plural for it in seen}))
        named = {it.name for it in seen if it.plural in {"secrets", "configmaps"}}
        assert "database" in named
        assert "neighbour" not in named


async def test_children_wake_it(world: World) -> None:
    """A child that is deleted is back at once, and a pod that crashes is told of."""
    await world.declare()
    async with working(world.namespace):
        await becomes(world, is_rolled_out(world))
        await world.delete("v1", "services", NAME)

        async def back() -> bool:
            return await world.find("v1", "services", NAME) is not None

        await eventually(back)
        world.kubelet.fates[IMAGE] = Fate.CRASHING
        await becomes(world, is_condition(world, "Degraded", "True", "PodCrashing"))


async def test_a_kind_that_appears_is_used(world: World) -> None:
    """A ServiceMonitor is made when the cluster gets the kind, and missed when that goes."""
    await world.declare(monitoring={"enabled": True})
    async with working(world.namespace) as it:
        await becomes(world, is_condition(world, "MonitoringReady", "False", "CRDMissing"))
        async with served(world.kube, SERVICE_MONITOR):
            there = is_condition(world, "MonitoringReady", "True", "ServiceMonitorApplied")
            await becomes(world, there)
            name = (SERVICE_MONITOR.api_version, SERVICE_MONITOR.plural, NAME)
            await world.delete(*name)

            async def back() -> bool:
                return await world.find(*name) is not None

            await eventually(back)
        await becomes(world, is_condition(world, "MonitoringReady", "False", "CRDMissing"))
        await eventually(lambda: 2 <= it.value("orders_operator_watch_restarts_total"))


async def test_its_own_kind_may_go_and_come_back(world: World) -> None:
    """A leader whose CRD is deleted waits for it, and works again when it is back."""
    await world.declare()
    async with working(world.namespace) as it:
        await becomes(world, is_rolled_out(world))
        try:
            await lose_kind(world)
            await eventually(lambda: 1 <= it.value("orders_operator_watch_restarts_total"))
        finally:
            await asyncio.to_thread(definition.apply)
        await eventually(lambda: is_declared(world))
        await becomes(world, is_rolled_out(world))


async def test_the_list_finds_what_no_watch_does(world: World) -> None:
    """At the resync interval all is looked at again, though nothing was seen."""
    await world.declare()
    async with working(world.namespace, resync=0.5) as it:
        await becomes(world, is_rolled_out(world))
        counts = "orders_operator_reconcile_duration_seconds_count"
        before = it.value(counts)
        await eventually(lambda: it.value(counts) >= before + 3)
        assert it.watchdog.failure() is None


async def test_a_namespace_that_closes_takes_no_other_along(
    world: World, apiserver: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its rights in one namespace a leader goes on in the others, and comes back."""
    monkeypatch.setenv("KUBECONFIG", str(apiserver.kubeconfig(OPERATOR)))
    async with World(admin=world.kube) as other:
        await allow(world)
        await allow(other)
        await world.declare()
        await other.declare()
        async with working(world.namespace, other.namespace) as it:
            await becomes(world, is_rolled_out(world))
            await becomes(other, is_rolled_out(other))
            await world.delete("rbac.authorization.k8s.io/v1", "rolebindings", "operator")
            await eventually(lambda: {other.key} == it.metrics.keys())
            await other.change(image=NEXT)

            async def replaced() -> bool:
                return await other.images() == [NEXT]

            await becomes(other, replaced)
            await allow(world)
            await eventually(lambda: {world.key, other.key} == it.metrics.keys())
            assert it.watchdog.failure() is None


async def test_a_namespace_of_another_release_is_left_out(world: World) -> None:
    """An operator of the whole cluster leaves it to that release, and takes it up again."""
    async with World(admin=world.kube) as other:
        await world.declare()
        await other.declare()
        async with working() as cluster:
            await becomes(world, is_rolled_out(world))
            await becomes(other, is_rolled_out(other))
            async with working(world.namespace, release="another-operator") as some:
                await eventually(lambda: {world.key} == some.metrics.keys())
                await eventually(lambda: {other.key} == cluster.metrics.keys())
                await world.change(image=NEXT)

                async def replaced() -> bool:
                    return await world.images() == [NEXT]

                await becomes(world, replaced)
                assert {other.key} == cluster.metrics.keys()
                assert [None, None] == [it.scope.unready() for it in (cluster, some)]
                assert cluster.watchdog.failure() is None
            await eventually(lambda: {world.key} <= cluster.metrics.keys(), within=30)


async def test_a_second_release_of_the_cluster_waits(world: World) -> None:
    """It does nothing, and says why, until the first one has gone."""
    await world.declare()
    async with working() as first:
        await becomes(world, is_rolled_out(world))
        async with working(release="another-operator") as second:
            await eventually(lambda: second.scope.unready() is not None)
            assert frozenset() == second.metrics.keys()
            assert second.watchdog.failure() is None
            assert {world.key} == first.metrics.keys()


async def test_without_any_right_it_waits(
    world: World, apiserver: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leader that may nothing yet works as soon as it may."""
    monkeypatch.setenv("KUBECONFIG", str(apiserver.kubeconfig(OPERATOR)))
    await world.declare()
    async with working(world.namespace):
        await allow(world)
        await becomes(world, is_rolled_out(world))


async def test_it_stops(world: World) -> None:
    """A leader that is told to stop leaves no thread and no work behind."""
    before = set(threading.enumerate())  # Kopf's of another test may take its time to end
    await world.declare()
    async with working(world.namespace):
        await becomes(world, is_rolled_out(world))
        watches = {it for it in threading.enumerate() if it.name == "watches"} - before
        assert set() != watches
    await eventually(lambda: not any(it.is_alive() for it in watches))
    await world.delete("v1", "services", NAME)
    await world.sync()
    assert await world.find("v1", "services", NAME) is None


async def test_it_ends_when_it_cannot_watch(
    world: World, apiserver: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leader whose watches end again and again ends as well, so that a new process begins."""
    monkeypatch.setenv("KUBECONFIG", str(apiserver.kubeconfig(OPERATOR)))
    monkeypatch.setattr("orders_operator.leader._PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("orders_operator.handlers.Watches.start", _broken)
    await allow(world)
    made = Working(world.namespace)
    try:
        await asyncio.wait_for(made.run(), 20)
    finally:
        await made.leader.stop()
        await made.kube.close()
    assert 5 == made.value("orders_operator_watch_restarts_total")


def _broken(watches: Watches) -> None:
    """Begin to watch, and end at once."""
    watches._ended = asyncio.get_running_loop().create_future()
    watches._ended.set_result(RuntimeError("broken"))


async def lose_kind(world: World) -> None:
    """Delete the CRD, and wait until it is gone with all that it had."""
    assert 0 == await asyncio.to_thread(definition.delete)
    name = "orderservices.orders.dev"

    async def is_gone() -> bool:
        found = await world.kube.get(
            "apiextensions.k8s.io/v1", "customresourcedefinitions", None, name
        )
        return found is None

    await eventually(is_gone)


def note_events(it: Working) -> list[WatchEvent]:
    """Return a list to which a leader that has not begun yet adds all that it sees."""
    seen: list[WatchEvent] = []
    take = it.leader.on_event

    def on_event(event: WatchEvent) -> None:
        seen.append(event)
        take(event)

    it.leader.on_event = on_event  # type: ignore[method-assign]  # it goes on to the real one
    return seen


async def is_declared(world: World) -> bool:
    """Declare the service; False while the API server does not serve its kind yet."""
    try:
        await world.declare()
    except KubeError as error:
        if error.reason is not ErrorReason.REFUSED:
            raise
        return False
    return True


async def allow(world: World) -> None:
    """Give the operator's user every right in a namespace."""
    api = "rbac.authorization.k8s.io"
    role = {
        "apiVersion": f"{api}/v1",
        "kind": "Role",
        "metadata": {"name": "operator", "namespace": world.namespace},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
    }
    binding = {
        "apiVersion": f"{api}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "operator", "namespace": world.namespace},
        "roleRef": {"apiGroup": api, "kind": "Role", "name": "operator"},
        "subjects": [{"apiGroup": api, "kind": "User", "name": OPERATOR}],
    }
    await world.kube.apply("roles", role, manager="somebody")
    await world.kube.apply("rolebindings", binding, manager="somebody")
