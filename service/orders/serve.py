"""One process, one loop: the API and the metrics port, from start-up to the last batch.

On SIGTERM or SIGINT readiness fails, and requests are still served for `SHUTDOWN_DELAY`, with
`Connection: close` on each answer. Then the service stops accepting connections, finishes what is
in flight within `SHUTDOWN_GRACE_PERIOD` and flushes the batches. A second signal skips the delay.
Every wait has a bound.
"""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

import uvloop
from msgspec.structs import replace

from orders import descriptors, memory
from orders.database import Database
from orders.hooks import hooks_of
from orders.http.answers import Answers
from orders.http.bodies import Bodies
from orders.http.bridge import Bridge
from orders.http.budget import Budget
from orders.http.call import Shared
from orders.http.cold import ColdApplication
from orders.http.connections import Connections, Watched
from orders.http.cors import marking, preflight
from orders.http.front import FrontDoor
from orders.http.health import READINESS_TIMEOUT, Health
from orders.http.metrics_port import MetricsPort
from orders.http.rotation import Rotation
from orders.http.server import Bounds, Listener, serve_asgi, serve_rsgi
from orders.http.shares import HEAD, PLAIN, TLS, divide
from orders.ports import host_to_bind
from orders.service import OrderService
from orders.store.process_exit import exit_after
from orders.store.schema import REQUIRED_VERSION
from orders.store.store import Store
from orders.telemetry import logs
from orders.telemetry.interpreter import measure_lag
from orders.telemetry.metrics import Metrics
from orders.telemetry.requests import Requests
from orders.telemetry.tracing import Tracing

if TYPE_CHECKING:
    from orders.auth.authentication import Authentication
    from orders.config import Config
    from orders.http.server import Take

_LINGER_SECONDS: Final = 2.0  # for the last answers to leave the server's own thread
_BODIES_SHARE: Final = 0.9  # share of the grace period in which bodies may still arrive
_MEMORY_SHARE: Final = 0.9  # share of the available memory; the system needs some of it
_MIB: Final = 1024 * 1024
_CONNECTIONS: Final = 65_536
_FEW_CONNECTIONS: Final = 64
_OTHER_DESCRIPTORS: Final = 256
"""Reserved for the database, the metrics port, files and threads, which use fewer."""
_GC_THRESHOLDS: Final = (50_000, 20, 100)

log = logging.getLogger("orders.serve")


def main(config: "Config") -> NoReturn:
    """Serve until a signal says stop; end the process with 0 when everything was finished."""
    exit_after(lambda: uvloop.run(serve(config)), config.secrets().masked)


async def serve(config: "Config", on_ready: Callable[[], None] = lambda: None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status, 0 when everything was finished."""
    stop, hurry = _signals()
    rotation = _rotation(config)
    async with contextlib.AsyncExitStack() as stack:
        metrics = Metrics()
        stack.callback(metrics.close)
        writer = logs.configure(config, metrics.lines_dropped)
        stack.callback(writer.close)
        _background(stack, measure_lag(metrics.lag.child()))
        if config.log_level_file is not None:
            _background(stack, logs.watch_level(writer, config.log_level_file, config.log_level))
        authentication = _authentication(config, metrics)
        if authentication is not None:
            _background(stack, authentication.follow())
        tracing = Tracing.from_config(config)
        stack.callback(tracing.shutdown)
        store = Store(
            config.needed_database(),
            statement_timeout=config.request_timeout,
            metrics=metrics,
            tracing=tracing,
        )
        stack.push_async_callback(store.close)
        store.open()
        metrics.watch_connections(store.connections_by_state)
        metrics.watch_writes(store.writes.by_reason)
        bounds = _bounds(config, metrics)
        most, _, budget = bounds
        # More calls than connections wait only if callers have left, and those calls hold memory.
        queue_limit = min(config.queue_limit, most.connections)
        orders = _domain(store, replace(config, queue_limit=queue_limit), metrics)
        requests = Requests(metrics, tracing, writer, config.scheme)
        stack.callback(requests.record)
        health = Health(
            partial(store.schema_version, timeout_seconds=READINESS_TIMEOUT),
            REQUIRED_VERSION,
            metrics.set_migration_version,
            store.writes.why,
            None if authentication is None else authentication.lacking,
            lambda: store.drift,
        )
        bodies = Bodies(config.request_timeout)
        answers = Answers(budget, config.http_port, config.request_timeout)
        stack.callback(answers.stop)
        gate = authentication.gate if authentication is not None and config.auth.on else None
        hooks = hooks_of(config.plugins or ())
        database = Database(store.pool, orders.deadline)
        cold = ColdApplication(
            orders, requests, health, bodies, budget=budget, answers=answers,
            database=database, hooks=hooks, gate=gate, preflight=preflight(config.cors),
            docs=config.docs_enabled,
        )  # fmt: skip
        shared = Shared(
            orders, requests, health, bodies, Bridge(cold, budget), budget, answers, database,
            asyncio.get_running_loop(), hooks,
        )  # fmt: skip
        hot = config.faults is None  # faults wrap cold calls alone
        front = FrontDoor(shared, gate=gate, hot=hot)
        take = marking(front.take, config.cors)
        closed = authentication if config.metrics_auth else None
        side = MetricsPort(metrics, health, None if closed is None else closed.metrics_gate)
        api = await _listen(config, stack, metrics, bounds, take, side, rotation)
        health.started = True
        on_ready()
        _settle()
        await stop.wait()
        health.draining = True
        log.info("draining for %g s", config.shutdown_delay)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hurry.wait(), config.shutdown_delay)
        return await _finish(api, bodies, requests, orders, config.shutdown_grace_period)


def _domain(store: Store, config: "Config", metrics: Metrics) -> OrderService:
    """Return the order service, wrapped in the configured faults if there are any."""
    orders = OrderService(store, config, metrics)
    store.writes.try_by(orders.commit)
    if config.faults is not None:
        orders = config.faults(orders)
    return orders


def _authentication(config: "Config", metrics: Metrics) -> "Authentication | None":
    """Return what authenticates callers, or None if no port needs it."""
    if not config.auth.needed:
        return None
    from orders.auth.authentication import Authentication  # noqa: PLC0415  loaded only when needed
    from orders.auth.outcomes import OUTCOMES  # noqa: PLC0415  the same

    return Authentication(config.auth, metrics.watch_authentication(OUTCOMES))


def _rotation(config: "Config") -> Rotation | None:
    """Read the TLS files; return None without TLS."""
    if config.tls is None:
        return None
    return Rotation(config.tls, config.http_keep_alive_timeout + config.request_timeout)


async def _listen(  # noqa: PLR0913  one part each
    config: "Config",
    stack: contextlib.AsyncExitStack,
    metrics: Metrics,
    bounds: tuple[Bounds, Bounds, Budget],
    take: "Take",
    side: MetricsPort,
    rotation: Rotation | None,
) -> Listener:
    """Serve both ports; return the API's listener, which does not end with the stack."""
    host = host_to_bind(config.http_host)
    most, few, budget = bounds
    beside = serve_asgi(side, host, config.metrics_port, few)
    stack.callback(beside.stop)
    await beside.bound()
    files = None if rotation is None else rotation.files
    api = serve_rsgi(take, host, config.http_port, most, tls=files)
    await api.bound()
    connections = Connections(
        {
            "api": Watched(config.http_port, most.connections, budget.transport),
            "metrics": Watched(config.metrics_port, few.connections, deadline=READINESS_TIMEOUT),
        },
        config.request_timeout,
        budget,
    )
    metrics.watch_callers(connections.open, connections.limits, connections.closed)
    _background(stack, connections.watch())
    log.info("listening on %s, port %d", host, config.http_port)
    if rotation is not None:
        log.info("the API's port speaks TLS: %s", rotation)
        metrics.watch_certificate(lambda: rotation.not_after, lambda: rotation.changes)
        _background(stack, rotation.watch(api))
    return api


def _signals() -> tuple[asyncio.Event, asyncio.Event]:
    """Return the events that the first and the second signal set."""
    stop, hurry = asyncio.Event(), asyncio.Event()

    def told() -> None:
        (hurry if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told)
    return stop, hurry


def _bounds(config: "Config", metrics: Metrics) -> tuple[Bounds, Bounds, Budget]:
    """Return the bounds of the API's port, those of the metrics port, and the memory budget."""
    limit = config.memory_limit or int(memory.available() * _MEMORY_SHARE)
    transport = PLAIN if config.tls is None else TLS
    shares = divide(limit, memory.resident(), transport)
    if not shares.enough:
        log.warning("%d MiB of memory are not enough: the process may use more", limit // _MIB)
    budget = Budget(shares.requests, transport)
    metrics.watch_memory(limit, budget.total, lambda: budget.used, lambda: budget.refused)
    most = descriptors.raise_limit() - _OTHER_DESCRIPTORS
    if config.tls is not None:
        most //= transport.servers + 1  # the last part is for handshakes
    most = min(shares.connections, most, _CONNECTIONS)
    idle_timeout = config.http_keep_alive_timeout
    return (
        Bounds(max(1, most), HEAD, idle_timeout),
        Bounds(_FEW_CONNECTIONS, HEAD, idle_timeout),
        budget,
    )


def _background(stack: contextlib.AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine until the stack ends."""
    stack.callback(asyncio.ensure_future(work).cancel)


async def _finish(
    listener: Listener,
    bodies: Bodies,
    requests: Requests,
    orders: OrderService,
    grace: float,
) -> int:
    """Stop accepting, and wait at most `grace` seconds for what is in flight.

    Shortly before that, bodies that have not arrived are given up, so that their callers still get
    an answer. Return the exit status.
    """
    listener.stop()
    asyncio.get_running_loop().call_later(grace * _BODIES_SHARE, bodies.give_up)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(grace):
            busy = True
            while busy:
                await bodies.arrived()
                await requests.idle()
                await orders.drain()
                await listener.stopped(_LINGER_SECONDS)
                busy = bool(bodies.waiting or requests.in_flight)
    if left := bodies.waiting + requests.in_flight:
        log.error("%d requests were cut off after %g s", left, grace)
        await orders.give_up()
        await listener.stopped(_LINGER_SECONDS)
        return 1
    log.info("all requests are answered")
    return 0


def _settle() -> None:
    """Keep the garbage collector away from objects made at start, which live until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
