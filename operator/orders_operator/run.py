"""One process of the operator, from its start to the release of its leases.

Every replica answers probes and serves metrics. The one that holds the Lease of its release
watches and reconciles, wherever no other release does (`scopes`). A replica that loses the Lease
exits at once, with status 1: a new process has no half-done work. On SIGTERM all work is
cancelled, which is safe because it is repeatable, and the Lease is released, so that another
replica takes over within two seconds.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, NoReturn

from orders_operator import __version__
from orders_operator.client.election import Election
from orders_operator.client.errors import KubeError
from orders_operator.client.kube import Kube
from orders_operator.leader import Leader
from orders_operator.scopes import Scope, scope_of
from orders_operator.settings import Settings
from orders_operator.tasks import first
from orders_operator.telemetry import logs
from orders_operator.telemetry.metrics import Metrics
from orders_operator.telemetry.port import Port
from orders_operator.telemetry.tracing import Tracing
from orders_operator.watchdog import Watchdog

_RELEASE_SECONDS: Final = 2.0
_READY_SECONDS: Final = 60.0
_BEAT_SECONDS: Final = 1.0

log = logging.getLogger("orders_operator.run")


def main(settings: Settings) -> NoReturn:
    """Run until a signal or a failure; exit the process with 0 or 1."""
    logs.configure(settings.log_level)
    status = asyncio.run(run(settings))
    sys.stdout.flush()
    os._exit(status)  # does not wait for the thread of the watches


async def run(settings: Settings) -> int:
    """Run one replica; return its exit status, which is 0 after a signal to stop."""
    stop = _signals()
    async with contextlib.AsyncExitStack() as stack:
        try:
            kube = Kube.connect()
        except KubeError as error:
            log.error("%s", error)  # noqa: TRY400  the message says everything
            return 1
        stack.push_async_callback(kube.close)
        metrics = Metrics(__version__)
        tracing = Tracing.configured(settings.tracing, __version__)
        stack.callback(tracing.shutdown)
        watchdog = Watchdog()
        election = Election(kube, settings.pod_namespace, settings.lease_name, settings.pod_name)
        scope = scope_of(kube, settings, metrics)
        metrics.watch_leader(lambda: scope.namespaces is not None)
        port = Port(metrics, watchdog.failure, lambda: _unready(election) or scope.unready())
        try:
            await port.open(settings.metrics_port)
        except OSError as error:
            log.error("METRICS_PORT %d: %s", settings.metrics_port, error.strerror)  # noqa: TRY400
            return 1
        stack.push_async_callback(port.close)
        log.info("orders-operator %s, %s", __version__, _where(settings))
        leader = Leader(kube, settings, scope, metrics, tracing, watchdog)
        stack.push_async_callback(_bounded, election.release)
        stack.push_async_callback(_bounded, scope.leave)
        stack.push_async_callback(leader.stop)
        return await _until(stop, _beat(watchdog), scope.run(), _lead(election, scope, leader))


async def _lead(election: Election, scope: Scope, leader: Leader) -> None:
    """Wait for the Lease, then work; return when the Lease is lost or the work has ended."""
    await election.acquire()
    scope.lead()
    await first(election.hold(), leader.run())


async def _until(stop: asyncio.Event, *work: Coroutine[Any, Any, None]) -> int:
    """Return 0 after a signal to stop, 1 if any work ended, which it never should."""
    try:
        await first(_told(stop), *work)
    except Exception:
        log.exception("ending")
        return 1
    if stop.is_set():
        log.info("received a signal to stop")
        return 0
    return 1


async def _told(stop: asyncio.Event) -> None:
    await stop.wait()


async def _beat(watchdog: Watchdog) -> None:
    while True:
        watchdog.beat("the event loop")
        await asyncio.sleep(_BEAT_SECONDS)


async def _bounded(release: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(release(), _RELEASE_SECONDS)


def _unready(election: Election) -> str | None:
    """Return why this replica could not take over: it cannot reach the API server."""
    reached = election.reached_at
    if reached is None or time.monotonic() - reached > _READY_SECONDS:
        return "the API server cannot be reached"
    return None


def _signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _where(settings: Settings) -> str:
    return f"watching {', '.join(settings.namespaces) or 'the whole cluster'}"
