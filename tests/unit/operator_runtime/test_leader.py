"""What a leader works on when the places it may work in change, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.errors import Failure, KubeError
from orders_operator.handlers import Sighting
from orders_operator.leader import Leader
from orders_operator.settings import Settings
from orders_operator.telemetry.metrics import Metrics
from orders_operator.telemetry.tracing import Tracing
from orders_operator.watchdog import Watchdog

pytestmark = pytest.mark.looptime

SHOP = ("shop", "orders")
STOCK = ("stock", "orders")


class Scope:
    """Places that a test names: the whole cluster, some namespaces, or None."""

    def __init__(self, *namespaces: str) -> None:
        """Begin with these, or with the whole cluster."""
        self.namespaces: tuple[str, ...] | None = namespaces
        self.left_out: dict[str, str] = {}
        self.changed = asyncio.Event()

    def works(self, namespace: str) -> bool:
        """Whether a namespace is one of them."""
        if self.namespaces is None or namespace in self.left_out:
            return False
        return not self.namespaces or namespace in self.namespaces

    def become(self, *namespaces: str, **left_out: str) -> None:
        """Have other places."""
        self.namespaces, self.left_out = namespaces, left_out
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class Cluster:
    """An API server with an OrderService in each of two namespaces."""

    down = False

    async def serves(self, _: str) -> frozenset[str]:
        """Serve the kind, and no optional one."""
        return frozenset({PLURAL})

    async def request(self, *_: Any) -> dict[str, Any]:
        """Have every right."""
        return {}

    async def list(self, _: str, __: str, namespace: str | None = None) -> list[Any]:
        """Return the OrderServices."""
        if self.down:
            raise KubeError(Failure.UNAVAILABLE, "down")
        keys = [it for it in (SHOP, STOCK) if namespace in {None, it[0]}]
        names = ("namespace", "name")
        return [
            {"metadata": dict(zip(names, it, strict=True), resourceVersion="1")} for it in keys
        ]


class Watching:
    """Watches that deliver what there is, and no more; where each began is noted."""

    began: list[tuple[str, ...]]

    def __init__(
        self,
        _: Any,
        namespaces: tuple[str, ...],
        on_sight: Callable[[Sighting], None],
        __: Any,
    ) -> None:
        """Keep where, and who is told."""
        self._namespaces = namespaces
        self._on_sight = on_sight
        self._ended = asyncio.Event()

    def start(self) -> None:
        """Begin."""
        self.began.append(self._namespaces)
        for key in (SHOP, STOCK):
            if not self._namespaces or key[0] in self._namespaces:
                self._on_sight(_seen(*key))

    async def ended(self) -> None:
        """Wait for the end."""
        await self._ended.wait()

    async def stop(self) -> None:
        """End."""
        self._ended.set()


def _seen(namespace: str, name: str) -> Sighting:
    """Return what a watch says of an OrderService that is there."""
    return Sighting(
        API_VERSION, PLURAL, namespace, name, "1", deleted=False, owner=None, instance=None
    )


class Reconciles:
    """Reconciles that are noted, and that take a second."""

    done: list[tuple[str, str]]

    def __init__(self, *parts: Any, **_: Any) -> None:
        """Take the metrics, which a reconcile sets."""
        self._metrics = next(it for it in parts if isinstance(it, Metrics))

    async def __call__(self, key: tuple[str, str]) -> float | None:
        """Reconcile."""
        await asyncio.sleep(1)
        self._metrics.conditions(key, {"Ready": "True"})
        self.done.append(key)
        return None


class Working:
    """A leader at work in a scope."""

    def __init__(self, scope: Scope) -> None:
        """Begin."""
        self.metrics = Metrics("0")
        self.cluster = Cluster()
        self.watchdog = Watchdog(asyncio.get_running_loop().time)
        everything: Any = (self.cluster, Settings(), scope, self.metrics, Tracing(), self.watchdog)
        self.leader = Leader(*everything)
        self.running = asyncio.ensure_future(self.leader.run())

    async def wake(self) -> None:
        """Have every OrderService be queued, and wait until all that is to be done is done."""
        for key in (SHOP, STOCK):
            self.leader._queue.add(key)
        await asyncio.sleep(5)


@pytest.fixture(autouse=True)
async def _parts(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Have neither Kopf nor a reconcile."""
    Watching.began, Reconciles.done = [], []
    monkeypatch.setattr("orders_operator.leader.Watches", Watching)
    monkeypatch.setattr("orders_operator.leader.Reconciler", Reconciles)
    yield
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


async def test_a_leader_without_a_place_does_nothing() -> None:
    """It watches nothing and is well, until it has one."""
    scope = Scope()
    scope.namespaces = None
    it = Working(scope)
    await it.wake()
    await asyncio.sleep(300)
    assert ([], []) == (Watching.began, Reconciles.done)
    assert it.watchdog.problem() is None

    scope.become("shop")
    await it.wake()

    assert [("shop",)] == Watching.began
    assert {SHOP} == set(Reconciles.done)


async def test_a_namespace_that_is_lost_is_left() -> None:
    """What is under way ends, nothing more is said of it, and others are watched on."""
    scope = Scope("shop", "stock")
    it = Working(scope)
    await it.wake()
    assert {SHOP, STOCK} == it.metrics.keys()
    before = Reconciles.done.count(SHOP)
    it.leader._queue.add(SHOP)
    await asyncio.sleep(0.5)

    scope.become("stock")
    await asyncio.sleep(2)

    assert before + 1 == Reconciles.done.count(SHOP)
    assert {STOCK} == it.metrics.keys()
    assert [("shop", "stock"), ("stock",)] == Watching.began
    it.watchdog.listed({STOCK: "1"})
    await asyncio.sleep(100)
    assert it.watchdog.problem() is None


async def test_a_namespace_that_others_hold_is_left_out_and_taken_up_again() -> None:
    """Nothing begins there meanwhile; after that, all that is there is reconciled."""
    scope = Scope()
    it = Working(scope)
    await it.wake()
    before = Reconciles.done.count(SHOP)
    scope.become(shop="another/operator")
    await it.wake()
    assert {STOCK} == it.metrics.keys()
    assert before == Reconciles.done.count(SHOP)
    it.cluster.down = True
    scope.become()
    await asyncio.sleep(10)

    it.cluster.down = False
    await asyncio.sleep(5)

    assert {SHOP, STOCK} == it.metrics.keys()
    assert [()] == Watching.began
