"""Where each of several releases works, in virtual time: never two in one namespace."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from orders_operator.gate import ENDING_SECONDS, Gate
from orders_operator.scopes import CLUSTER_LEASE, GRACE_SECONDS, NAMESPACE_LEASE, scope_of
from orders_operator.settings import Settings
from orders_operator.telemetry.metrics import Metrics
from tests.helpers.operator.fake_leases import LeaseClient, LeaseServer, url

pytestmark = pytest.mark.looptime

SETTLED = 60.0
FAR = ("shop", "stock", "toys")


class Process:
    """A process that leads its release, or looks on."""

    def __init__(
        self,
        server: LeaseServer,
        release: str,
        *namespaces: str,
        pod: str = "pod",
        leads: bool = True,
    ) -> None:
        self.client = LeaseClient(server)
        home, _, name = release.partition("/")
        settings = Settings(
            namespaces=namespaces, pod_namespace=home, pod_name=pod, lease_name=name
        )
        self.metrics = Metrics("0")
        clock = asyncio.get_running_loop().time
        self.scope = scope_of(self.client, settings, self.metrics, clock)  # type: ignore[arg-type]
        if leads:
            self.scope.lead()
        self.running = asyncio.ensure_future(self.scope.run())

    def works(self, namespace: str) -> bool:
        """Whether it works in a namespace."""
        return not self.running.done() and self.scope.works(namespace)

    def kill(self) -> None:
        """End it without a word."""
        self.running.cancel()

    async def stop(self) -> None:
        """End it as SIGTERM does."""
        self.kill()
        await self.scope.leave()

    def metric(self) -> list[str]:
        """Return the series of conflicts."""
        _, body = self.metrics.expose("")
        return [it for it in body.decode().splitlines() if it.startswith("orders_operator_confl")]


@pytest.fixture
async def server() -> AsyncIterator[LeaseServer]:
    """Have an API server without a Lease."""
    yield LeaseServer()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


async def test_the_whole_cluster_is_worked_on_at_once(server: LeaseServer) -> None:
    """Its Lease is in `default` under a fixed name, and names the release."""
    process = Process(server, "system/orders-operator")
    await asyncio.sleep(1)

    assert process.works("shop")
    assert () == process.scope.namespaces
    assert "system/orders-operator/pod" == server.holder("default", CLUSTER_LEASE)
    assert process.scope.unready() is None


async def test_a_second_release_of_the_cluster_is_not_ready(server: LeaseServer) -> None:
    """It works nowhere, and its readiness and metric say why, those of its standby too."""
    Process(server, "a/orders-operator")
    await asyncio.sleep(1)
    second = Process(server, "b/orders-operator")
    standby = Process(server, "b/orders-operator", pod="other", leads=False)
    await asyncio.sleep(SETTLED)

    why = (
        f"a/orders-operator works in the whole cluster: it holds the Lease default/{CLUSTER_LEASE}"
    )
    series = (
        'orders_operator_conflict{holder="a/orders-operator",'
        f'lease="default/{CLUSTER_LEASE}"}} 1.0'
    )
    for process in (second, standby):
        assert why == process.scope.unready()
        assert [series] == process.metric()
        assert not process.works("shop")


async def test_a_second_release_goes_on_when_the_first_is_uninstalled(
    server: LeaseServer,
) -> None:
    """What it says of a conflict goes with the conflict."""
    first, second = Process(server, "a/operator"), Process(server, "b/operator")
    await asyncio.sleep(SETTLED)

    await first.stop()
    await asyncio.sleep(20)

    assert second.works("shop")
    assert second.scope.unready() is None
    assert [] == second.metric()


async def test_a_standby_is_ready_and_takes_over(server: LeaseServer) -> None:
    """Replicas of the release that works are ready, whether they lead or not."""
    first = Process(server, "a/operator")
    standby = Process(server, "a/operator", pod="other", leads=False)
    await asyncio.sleep(SETTLED)
    assert standby.scope.unready() is None
    assert not standby.works("shop")

    await first.stop()
    standby.scope.lead()
    await asyncio.sleep(1)

    assert standby.works("shop")


async def test_a_namespaced_release_takes_its_namespaces_out(server: LeaseServer) -> None:
    """Both are ready; the one of the cluster leaves those out, and goes on everywhere else."""
    cluster = Process(server, "system/operator")
    await asyncio.sleep(1)
    some = Process(server, "shop/operator", "shop", "stock")
    await asyncio.sleep(13)
    assert not cluster.works("shop")
    assert not some.works("shop")
    await asyncio.sleep(SETTLED)

    assert [True, True, False] == [some.works(it) for it in FAR]
    assert [False, False, True] == [cluster.works(it) for it in FAR]
    assert {"shop": "shop/operator", "stock": "shop/operator"} == cluster.scope.left_out
    assert [None, None] == [it.scope.unready() for it in (cluster, some)]

    await some.stop()
    await asyncio.sleep(15)
    assert [True, True, True] == [cluster.works(it) for it in FAR]


async def test_two_namespaced_releases_share_no_namespace(server: LeaseServer) -> None:
    """Each works where it holds the Lease, and the one that lacks a namespace is not ready."""
    first = Process(server, "a/operator", "shop", "stock")
    await asyncio.sleep(1)
    second = Process(server, "b/operator", "stock", "toys")
    await asyncio.sleep(SETTLED)

    assert ("shop", "stock") == first.scope.namespaces
    assert ("toys",) == second.scope.namespaces
    assert first.scope.unready() is None
    assert (
        f"a/operator works in stock: it holds the Lease stock/{NAMESPACE_LEASE}"
        == second.scope.unready()
    )


async def test_a_namespace_that_is_deleted_takes_no_other_along(server: LeaseServer) -> None:
    """Its right is gone, so it is left; the release stays ready, and works in the others."""
    process = Process(server, "a/operator", "shop", "stock")
    await asyncio.sleep(SETTLED)
    process.client.forbidden.add(url("shop", NAMESPACE_LEASE))
    await asyncio.sleep(25)

    assert ("stock",) == process.scope.namespaces
    assert process.scope.unready() is None


async def test_without_any_right_the_missing_one_is_named(server: LeaseServer) -> None:
    """A release that cannot have a single Lease is not ready, in the server's words."""
    process = Process(server, "a/operator")
    process.client.forbidden.add(url("default", CLUSTER_LEASE))
    await asyncio.sleep(1)

    where = url("default", CLUSTER_LEASE)
    assert process.scope.unready() == (
        f"the Lease default/{CLUSTER_LEASE} cannot be acquired: Forbidden: cannot get {where}"
    )


async def test_without_the_right_to_list_it_works_nowhere(server: LeaseServer) -> None:
    """Who cannot see which namespaces others hold may not work in any; it says what is missing."""
    process = Process(server, "a/operator")
    where = "/apis/coordination.k8s.io/v1/leases"
    process.client.forbidden.add(where)
    await asyncio.sleep(1)

    assert not process.works("shop")
    assert process.scope.unready() == (
        f"the Leases {NAMESPACE_LEASE} of all namespaces cannot be listed: "
        f"Forbidden: cannot get {where}"
    )


async def test_an_operator_that_no_longer_sees_the_leases_ends(server: LeaseServer) -> None:
    """It cannot know what others begin, and a new process has no half-done work."""
    process = Process(server, "a/operator")
    await asyncio.sleep(SETTLED)
    process.client.forbidden.add("/apis/coordination.k8s.io/v1/leases")
    await asyncio.sleep(GRACE_SECONDS - ENDING_SECONDS)

    assert process.running.done()


async def test_a_change_of_mode_needs_no_other_release(server: LeaseServer) -> None:
    """The Leases of its own release keep a release from nothing."""
    some = Process(server, "a/operator", "shop")
    await asyncio.sleep(SETTLED)
    await some.stop()

    cluster = Process(server, "a/operator", pod="new")
    await asyncio.sleep(1)

    assert cluster.works("shop")


@pytest.mark.parametrize("seed", range(4))
async def test_never_two_in_one_namespace(server: LeaseServer, seed: int) -> None:
    """Whatever is killed, stopped, cut off or deleted, and whenever."""
    chance = random.Random(seed)  # noqa: S311  no secret is made of it
    releases = {"a/op": (), "b/op": (), "c/op": FAR[:2], "d/op": FAR[1:]}
    processes: dict[str, Process] = {}
    work = Reconciles(processes)
    for number in range(60):
        release = chance.choice(list(releases))
        process = processes.get(release)
        if process is None or process.running.done():
            fresh = Process(server, release, *releases[release], pod=f"pod-{number}")
            processes[release] = fresh
            work.begin(release, fresh)
        else:
            await happen(chance, server, process)
        await asyncio.sleep(chance.choice([0.5, 3, 8, 20, 45]))
    assert work.done > 100
    await work.end()


class Reconciles:
    """What each process has under way, none of it in a place where another has."""

    def __init__(self, processes: dict[str, Process]) -> None:
        self._processes = processes
        self._under_way: dict[str, str] = {}
        self._loops: list[asyncio.Task[None]] = []
        self.done = 0

    def begin(self, release: str, process: Process) -> None:
        """Have a process reconcile all the time, wherever it works."""
        self._loops.append(asyncio.create_task(self._work(release, process)))

    async def end(self) -> None:
        """End all; raise what one of them found."""
        for loop in self._loops:
            loop.cancel()
        for found in await asyncio.gather(*self._loops, return_exceptions=True):
            if isinstance(found, Exception):
                raise found

    async def _work(self, release: str, process: Process) -> None:
        async def reconcile(key: tuple[str, str]) -> float | None:
            namespace = key[0]
            assert self._under_way.setdefault(namespace, release) == release
            try:
                await asyncio.sleep(2)
                self.done += 1
            finally:
                self._under_way.pop(namespace)
            return None

        gate = Gate(reconcile, process.works)
        tasks: list[asyncio.Future[float | None]] = []
        while not process.running.done():
            tasks = [asyncio.ensure_future(gate((it, "orders"))) for it in FAR]
            await asyncio.wait({process.running}, timeout=2.5)
            for namespace in FAR:
                if not process.works(namespace):
                    await gate.end(namespace)
            for task in tasks:
                if task.done():
                    task.result()
        for task in tasks:  # a process that ends takes what it does with it
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def happen(chance: random.Random, server: LeaseServer, process: Process) -> None:
    """Do something to a process, or to its Lease."""
    match chance.choice(["kill", "stop", "down", "hung", "well", "well", "delete"]):
        case "kill":
            process.kill()
        case "stop":
            await process.stop()
        case "down":
            process.client.down = True
        case "hung":
            process.client.hung = True
        case "well":
            process.client.down = process.client.hung = False
        case "delete" if server.objects:
            del server.objects[chance.choice(list(server.objects))]
