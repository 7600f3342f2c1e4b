"""A leader at work, and waiting for what comes of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest

from orders_operator.leader import Leader
from orders_operator.scopes import scope_of
from orders_operator.settings import Settings
from orders_operator.telemetry.metrics import Metrics
from orders_operator.telemetry.tracing import Tracing
from orders_operator.watchdog import Watchdog
from tests.helpers.apiserver.operator_namespace import World
from tests.helpers.apiserver.recording_client import Recording
from tests.helpers.conditions import rolled_out
from tests.helpers.server import eventually

UNCLOSED: Final = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("collected"),
]
"""Marks of tests whose watches end: Kopf leaves the sockets of those to the collector."""


class Working:
    """A leader at work."""

    def __init__(
        self, *namespaces: str, resync: float = 300.0, release: str = "orders-operator"
    ) -> None:
        """Prepare one for some namespaces, or for the whole cluster."""
        self.kube = Recording.connect()
        self.metrics = Metrics("test")
        self.watchdog = Watchdog()
        settings = Settings(
            namespaces=namespaces, pod_name="leader", lease_name=release, resync_interval=resync
        )
        self.scope = scope_of(self.kube, settings, self.metrics)
        self.leader = Leader(
            self.kube, settings, self.scope, self.metrics, Tracing(), self.watchdog
        )

    async def run(self) -> None:
        """Work as a process does that leads its release, and at once."""
        claiming = asyncio.ensure_future(self.scope.run())
        self.scope.lead()
        try:
            await self.leader.run()
        finally:
            claiming.cancel()
            await asyncio.gather(claiming, return_exceptions=True)

    def value(self, name: str) -> float:
        """Return a metric."""
        _, exposed = self.metrics.expose("text/plain")
        lines = exposed.decode().splitlines()
        return float(next(it for it in lines if it.startswith(f"{name} ")).split()[1])


@asynccontextmanager
async def working(
    *namespaces: str, resync: float = 300.0, release: str = "orders-operator"
) -> AsyncIterator[Working]:
    """Have a leader work in these namespaces."""
    made = Working(*namespaces, resync=resync, release=release)
    running = asyncio.ensure_future(made.run())
    try:
        yield made
        assert not running.done(), running.result()
    finally:
        running.cancel()
        await made.leader.stop()
        await asyncio.gather(running, return_exceptions=True)
        await made.scope.leave()
        await made.kube.close()


async def becomes(
    world: World, true: Callable[[], Awaitable[bool]], *, within: float = 20
) -> None:
    """Have controllers and kubelet work until something is so."""

    async def look() -> bool:
        await world.sync()
        return await true()

    await eventually(look, within=within)


def is_condition(world: World, kind: str, *wanted: str) -> Callable[[], Awaitable[bool]]:
    """Return what asks whether a condition has a status and a reason."""

    async def ask() -> bool:
        status = await world.status()
        found = {it["type"]: it for it in status.get("conditions") or ()}.get(kind, {})
        return wanted == (found.get("status"), found.get("reason"))

    return ask


def is_rolled_out(world: World) -> Callable[[], Awaitable[bool]]:
    """Return what asks whether all that is declared serves, and nothing else."""

    async def ask() -> bool:
        return rolled_out(await world.resource())

    return ask
