"""What a leader works on when the places it may work in change, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.client.partial import Metadata
from orders_operator.leader import Leader
from orders_operator.reconcile.cluster_issuer import CHECK_SECONDS
from orders_operator.resources.references import Reference
from orders_operator.settings import Settings
from orders_operator.telemetry.metrics import Metrics
from orders_operator.telemetry.tracing import Tracing
from orders_operator.watch_events import WatchEvent
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
    """An API server with an OrderService in each of two namespaces, until there are others."""

    down = False
    keys: tuple[tuple[str, str], ...] = (SHOP, STOCK)

    async def serves(self, _: str) -> frozenset[str]:
        """Serve the kind, and no optional one."""
        return frozenset({PLURAL})

    async def may_list(self, *_: Any) -> None:
        """Have every right."""

    async def metadata(self, _: str, __: str, namespace: str | None = None) -> Any:
        """Yield what the OrderServices are called."""
        if self.down:
            raise KubeError(ErrorReason.UNAVAILABLE, "down")
        for key in self.keys:
            if namespace in {None, key[0]}:
                yield Metadata(name=key[1], namespace=key[0], resource_version="1")


class Watching:
    """Watches that deliver what there is, and no more; where each began is noted."""

    began: list[tuple[str, ...]]

    def __init__(
        self,
        _: Any,
        namespaces: tuple[str, ...],
        on_event: Callable[[WatchEvent], None],
        *_more: Any,
    ) -> None:
        self._namespaces = namespaces
        self._on_event = on_event
        self._ended = asyncio.Event()

    def start(self) -> None:
        """Begin."""
        self.began.append(self._namespaces)
        for key in (SHOP, STOCK):
            if not self._namespaces or key[0] in self._namespaces:
                self._on_event(_event(*key))

    async def ended(self) -> None:
        """Wait for the end."""
        await self._ended.wait()

    async def stop(self) -> None:
        """End."""
        self._ended.set()


def _event(
    namespace: str, name: str, *, listed: bool = False, pending: bool = False
) -> WatchEvent:
    """Return what a watch says of an OrderService that is there."""
    return WatchEvent(
        api_version=API_VERSION,
        plural=PLURAL,
        namespace=namespace,
        name=name,
        version="1",
        deleted=False,
        owner=None,
        instance=None,
        listed=listed,
        pending=pending,
    )


class Reconciles:
    """Reconciles that are noted, and that take a second."""

    done: list[tuple[str, str]]
    keys: list[bool | KubeError]
    """What comes of each look at the cluster's keys: whether they are others."""

    def __init__(self, *parts: Any, **_: Any) -> None:
        """Take the metrics, which a reconcile sets."""
        self._metrics = next(it for it in parts if isinstance(it, Metrics))

    async def rotated(self) -> bool:
        """Say whether keys are others."""
        said = self.keys.pop(0) if self.keys else False
        if isinstance(said, KubeError):
            raise said
        return said

    async def __call__(self, key: tuple[str, str]) -> float | None:
        """Reconcile."""
        await asyncio.sleep(1)
        self._metrics.conditions(key, {"Ready": "True"})
        self.done.append(key)
        return None


class Working:
    """A leader at work in a scope."""

    def __init__(self, scope: Scope) -> None:
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
    Watching.began, Reconciles.done, Reconciles.keys = [], [], []
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
    assert it.watchdog.failure() is None

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
    assert it.watchdog.failure() is None


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


async def test_what_has_changed_goes_first() -> None:
    """After a restart all are found, and what is to be done of them does not wait for the rest."""
    it = Working(Scope())
    await it.wake()
    Reconciles.done.clear()
    names = [f"orders-{number}" for number in range(100)]
    for name in names:
        rolling = name == "orders-97"
        it.leader.on_event(_event("shop", name, listed=True, pending=rolling))
    await asyncio.sleep(0.5)  # four have begun
    it.leader.on_event(_event("shop", "orders-99"))
    await asyncio.sleep(2)
    others = {SHOP, STOCK}  # whose turn to be looked at again may come meanwhile
    first = [key for key in Reconciles.done if key not in others][:5]
    assert {("shop", "orders-97"), ("shop", "orders-99")} <= set(first)
    await asyncio.sleep(100)
    assert {("shop", name) for name in names} == set(Reconciles.done) - others


async def test_rotated_keys_wake_all() -> None:
    """Once for each time that they are others; what cannot be read is asked for again."""
    it = Working(Scope())
    Reconciles.keys = [False, KubeError(ErrorReason.FORBIDDEN, "no"), True, False]
    await it.wake()
    await asyncio.sleep(CHECK_SECONDS * 2)
    before = len(Reconciles.done)
    await asyncio.sleep(CHECK_SECONDS)
    assert {SHOP, STOCK} == set(Reconciles.done[before:])
    assert [] == Reconciles.keys[1:]
    assert it.watchdog.failure() is None


async def test_all_are_looked_at_again_each_in_its_turn() -> None:
    """Once an interval, though nothing happens, until they are gone; never all together."""
    it = Working(Scope())
    names = [f"orders-{number}" for number in range(40)]
    it.cluster.keys = (SHOP, STOCK, *(("shop", name) for name in names))
    for name in names:
        it.leader.on_event(_event("shop", name))
    await asyncio.sleep(20)
    interval = Settings().resync_interval
    together = []
    Reconciles.done.clear()
    for _ in range(10):
        before = len(Reconciles.done)
        await asyncio.sleep(interval * 1.1 / 10)
        together.append(len(Reconciles.done) - before)
    assert {("shop", name) for name in names} <= set(Reconciles.done)
    assert max(together) < len(names) / 2


async def test_neighbours_concern_nobody() -> None:
    """A Secret concerns those who name it, or own it, and a label of it says nothing."""
    it = Working(Scope())
    seen = WatchEvent(
        api_version="v1",
        plural="secrets",
        namespace="shop",
        name="database",
        version="1",
        deleted=False,
        owner=None,
        instance="orders",
    )
    assert not it.leader.concerned(seen)
    assert {SHOP} == it.leader.concerned(replace(seen, owner="orders"))
    assert {SHOP} == it.leader.concerned(replace(seen, plural="pods"))
    it.leader._index.set(SHOP, [Reference("secrets", "database")])
    assert {SHOP} == it.leader.concerned(seen)
    assert not it.leader.concerned(replace(seen, namespace="stock"))
