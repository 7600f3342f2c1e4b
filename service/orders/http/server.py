"""The interface to Granian, the server: only this module knows it.

The API is served over RSGI, Granian's own interface. Its public form makes a coroutine and a task
for each request and wakes the loop for each. Here requests are taken in Granian's thread, and the
work that is left for the loop is handed over with one wake-up for many. That needs names that
Granian does not publish (`_UNPUBLISHED`); if one is gone, the public form is used. The metrics
port is ASGI: nothing there is hot.

A worker reads the TLS files as it starts. To take new files, a second worker is started on the
same port, and each answer of the first one is then the last on its connection.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from granian import _granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from orders.http.exchanges import Last, Passing
from orders.http.inbox import Inbox
from orders.http.reuseport import prefer_newer

if TYPE_CHECKING:
    from orders.http.asgi import App
    from orders.http.rsgi import Exchange, Headers, Scope

Take = Callable[[Any, Any], tuple[Callable[[Any], None], Any] | None]
"""Takes a request, on any thread; returns a function for the loop to call, and its argument."""

BACKLOG: Final = 2048
"""The most connections that wait at a port to be accepted."""
_UNPUBLISHED: Final = (
    ("RSGIWorker", "serve_async"),
    ("CallbackScheduler", "_schedule_fn"),
    ("WorkerSignal", "add_cb"),
)
_PLAIN: Final[tuple[Any, ...]] = (False, None, None, None, "tls1.3", None, [], False)
"""Granian's arguments without TLS."""
_TLS_OPTIONS: Final = (
    "ssl_enabled", "ssl_cert", "ssl_key", "ssl_key_password", "ssl_protocol_min", "ssl_ca",
    "ssl_crl", "ssl_client_verify",
)  # fmt: skip
"""Their names, in Granian's order."""

log = logging.getLogger("orders.http")


class Bounds(NamedTuple):
    """What callers may use of the server, before a request reaches the application."""

    connections: int
    """How many are accepted at a time, idle ones too; others wait in the system's backlog."""
    head: int
    """Bytes of a request's head, and of a connection's buffer; a longer head is 431."""
    idle_timeout: float
    """Seconds that a connection may be idle, and that a head may take: Granian has one clock."""


class TlsFiles(NamedTuple):
    """Paths of PEM files, and the oldest version: 1.2 or 1.3."""

    certificate: str
    key: str
    authorities: str | None
    minimum: str

    @property
    def options(self) -> tuple[Any, ...]:
        """The arguments of Granian's workers."""
        asked = self.authorities is not None
        version = f"tls{self.minimum}"
        return True, self.certificate, self.key, None, version, self.authorities, [], asked


class Listener:
    """A server on its port."""

    def __init__(self, server: Server, workers: "_Workers | None" = None) -> None:
        """Start serving."""
        self._server = server
        self._workers = workers
        spawn: Any = workers
        self._task = asyncio.ensure_future(server.serve(spawn))

    async def bound(self) -> None:
        """Return when the port is bound; raise OSError if another process has it."""
        await asyncio.sleep(0)  # the server binds in its first step
        if self._task.done():
            self._task.result()

    def replace(self, tls: TlsFiles) -> "Worker | None":
        """Serve new connections with other files.

        Returns:
            The worker that still has the old connections; None if that is not possible.

        """
        return None if self._workers is None else self._workers.replace(tls)

    def stop(self) -> None:
        """Stop accepting: idle connections are closed, answers in flight are finished."""
        if self._workers is not None:
            self._workers.stop()
        self._server.stop()  # type: ignore[no-untyped-call]

    async def stopped(self, timeout_seconds: float | None = None) -> None:
        """Return when the kernel has the last answer, or after `timeout_seconds`."""
        await asyncio.wait([self._task], timeout=timeout_seconds)


def serve_asgi(app: "App", host: str, port: int, bounds: Bounds) -> Listener:
    """Serve an ASGI application."""
    return Listener(_server(app, Interfaces.ASGINL, host, port, bounds))


def serve_rsgi(
    take: Take, host: str, port: int, bounds: Bounds, tls: TlsFiles | None = None
) -> Listener:
    """Pass every request to a function."""
    if _only_public():
        log.warning("this Granian has other internals: each request costs a task")
        return Listener(_server(_Public(take), Interfaces.RSGI, host, port, bounds, tls))
    server = _server(take, Interfaces.RSGI, host, port, bounds, tls)
    return Listener(server, _Workers(bounds, port, server.ssl_ctx))


def attempt(tls: TlsFiles) -> None:
    """Serve with these files for a moment, on an unused port; may abort the process."""

    async def serve() -> None:
        bounds = Bounds(1, 16 * 1024, 1.0)
        listener = serve_rsgi(lambda _, __: None, "127.0.0.1", 0, bounds, tls)
        await listener.bound()
        await asyncio.sleep(0)  # the worker starts in the next step
        listener.stop()
        await listener.stopped()  # a server that still runs aborts the process at its end

    asyncio.run(serve())


def _http1(bounds: Bounds) -> HTTP1Settings:
    return HTTP1Settings(
        header_read_timeout=round(bounds.idle_timeout * 1000), max_buffer_size=bounds.head
    )


def _server(  # noqa: PLR0913  one fact each
    target: Any,
    interface: Interfaces,
    host: str,
    port: int,
    bounds: Bounds,
    tls: TlsFiles | None = None,
) -> Server:
    server = Server(
        target,
        address=host,
        port=port,
        interface=interface,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        backpressure=bounds.connections,
        http1_settings=_http1(bounds),
        log_enabled=False,
    )
    # Granian would resolve the paths, and resolved paths of copies in memory lead nowhere.
    server.ssl_ctx = _PLAIN if tls is None else tls.options
    return server


def _only_public() -> bool:
    """Whether only Granian's public form can be used."""
    return not all(
        hasattr(getattr(_granian, name, None), attribute) for name, attribute in _UNPUBLISHED
    )


class _Workers:
    """Granian's workers on one port: one, and two while files are replaced."""

    def __init__(self, bounds: Bounds, port: int, tls: tuple[Any, ...]) -> None:
        self._bounds = bounds
        self._port = port
        self._tls = tls
        self._new: Any = None
        self._workers: list[Worker] = []
        self._stopping = False

    async def __call__(self, number: int, _: Any, take: Take, sockets: Any, *__: Any) -> None:
        """Serve as Granian's own RSGI worker does, until the last worker has ended."""
        self._new = partial(Worker, number, take, sockets, self._bounds)
        self._workers.append(self._new(self._tls))
        if self._stopping:
            self.stop()
        while ending := [worker.ended for worker in self._workers if not worker.ended.done()]:
            await asyncio.wait(ending)

    def replace(self, tls: TlsFiles) -> "Worker | None":
        [*_, old] = self._workers
        if self._stopping or not prefer_newer(self._port):
            return None
        self._workers[:] = [old, self._new(tls.options)]
        old.retire()
        return old

    def stop(self) -> None:
        self._stopping = True
        for worker in self._workers:
            worker.stop()


class Worker:
    """Granian's RSGI worker, but without a task for each request."""

    def __init__(
        self, number: int, take: Take, sockets: Any, bounds: Bounds, tls: tuple[Any, ...]
    ) -> None:
        """Accept connections from now on."""
        loop = asyncio.get_running_loop()
        inside: Any = _granian
        inbox = Inbox(loop)
        self.ended = loop.create_future()
        self._taking = take
        self._signal = inside.WorkerSignal()
        self._signal.add_cb(lambda: loop.call_soon_threadsafe(self.ended.set_result, None))

        def schedule(watcher: Any) -> None:  # an error would be lost, and break the next one
            try:
                begun = self._taking(watcher.scope, watcher.proto)
                if begun is not None:
                    inbox.put(*begun)
            except Exception as error:
                log.exception("a request could not be handled")
                watcher.err(error)

        scheduler = inside.CallbackScheduler(loop, None, None, None, None)
        scheduler._schedule_fn = schedule  # noqa: SLF001
        inside.RSGIWorker(
            number,
            sockets,
            None,
            backpressure=bounds.connections,
            http_mode=HTTPModes.http1.value,
            http1_opts=_http1(bounds),
            **dict(zip(_TLS_OPTIONS, tls, strict=True)),
        ).serve_async(scheduler, inbox, self._signal)

    def retire(self) -> None:
        """Make each answer the last one on its connection."""
        take = self._taking
        self._taking = lambda scope, protocol: take(scope, Last(protocol))

    def stop(self) -> None:
        """Stop accepting; close idle connections, and end once the others are answered."""
        if self._signal is not None:  # Granian waits for ever to be told a third time
            self._signal.set()
            self._signal = None


class _Public:
    """Granian's public form: a coroutine for each request, which lasts until it is answered."""

    def __init__(self, take: Take) -> None:
        self._take = take

    async def __rsgi__(self, scope: "Scope", protocol: "Exchange") -> None:
        answered = asyncio.get_running_loop().create_future()
        begun = self._take(scope, _Waited(protocol, answered))
        if begun is not None:
            function, argument = begun
            function(argument)
        await answered


class _Waited(Passing):
    """A wrapper that tells a future when the answer was given."""

    def __init__(self, protocol: "Exchange", answered: "asyncio.Future[None]") -> None:
        super().__init__(protocol)
        self._answered = answered

    def response_bytes(self, status: int, headers: "Headers", body: bytes) -> None:
        super().response_bytes(status, headers, body)
        if not self._answered.done():
            self._answered.set_result(None)
