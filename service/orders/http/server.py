"""The edge to Granian, the server: all that is known of it is here.

The API is served over RSGI, Granian's own interface. Its public form makes a coroutine and a task
of each request and wakes the loop for each. Here requests are taken in Granian's thread, and what
is left for the loop is handed over with one wake-up for many. That needs two names that Granian
does not publish (`_UNPUBLISHED`); where one is gone, the public form is taken. The metrics port is
ASGI: nothing there is hot.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from granian import _granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

if TYPE_CHECKING:
    from orders.http.asgi import App
    from orders.http.rsgi import Exchange, Headers, Landing, Scope

Take = Callable[[Any, Any], tuple[Callable[[Any], None], Any] | None]
"""Takes a request, from any thread; returns what the loop is to call, and with what."""

_BACKLOG: Final = 2048
_UNPUBLISHED: Final = (
    ("RSGIWorker", "serve_async"),
    ("CallbackScheduler", "_schedule_fn"),
)

log = logging.getLogger("orders.http")


class Bounds(NamedTuple):
    """What callers may take of the server, before a request is the application's."""

    connections: int
    """How many are accepted at a time, idle ones too; others wait in the system's backlog."""
    head: int
    """Bytes of a request's head, and of a connection's buffer; a longer head is 431."""
    patience: float
    """Seconds that a connection may be idle, and that a head may take: Granian has one clock."""


class Listener:
    """A server on its port."""

    def __init__(self, server: Server, spawn: Any = None) -> None:
        """Start to serve."""
        self._server = server
        self._task = asyncio.ensure_future(server.serve(spawn))

    async def bound(self) -> None:
        """Return when the port is taken; raise OSError when somebody else has it."""
        await asyncio.sleep(0)  # the server binds in its first step
        if self._task.done():
            self._task.result()

    def stop(self) -> None:
        """Accept nothing more; idle connections are closed, answers under way are finished."""
        self._server.stop()  # type: ignore[no-untyped-call]

    async def stopped(self, patience: float) -> None:
        """Return when the last answer is with the kernel, or after so many seconds."""
        await asyncio.wait([self._task], timeout=patience)


def serve_asgi(app: "App", host: str, port: int, bounds: Bounds) -> Listener:
    """Serve an ASGI application."""
    return Listener(_server(app, Interfaces.ASGINL, host, port, bounds))


def serve_rsgi(take: Take, host: str, port: int, bounds: Bounds) -> Listener:
    """Have every request taken by a function."""
    if _only_public():
        log.warning("this Granian has another inside: each request costs a task")
        return Listener(_server(_Public(take), Interfaces.RSGI, host, port, bounds))
    return Listener(_server(take, Interfaces.RSGI, host, port, bounds), partial(_spawn, bounds))


def _http1(bounds: Bounds) -> HTTP1Settings:
    return HTTP1Settings(
        header_read_timeout=round(bounds.patience * 1000), max_buffer_size=bounds.head
    )


def _server(target: Any, interface: Interfaces, host: str, port: int, bounds: Bounds) -> Server:
    return Server(
        target,
        address=host,
        port=port,
        interface=interface,
        http=HTTPModes.http1,
        websockets=False,
        backlog=_BACKLOG,
        backpressure=bounds.connections,
        http1_settings=_http1(bounds),
        log_enabled=False,
    )


def _only_public() -> bool:
    """Whether only the public form is left."""
    return not all(
        hasattr(getattr(_granian, name, None), attribute) for name, attribute in _UNPUBLISHED
    )


async def _spawn(
    bounds: Bounds, worker: int, signal: Any, take: Take, sockets: Any, *_: Any
) -> None:
    """Serve as Granian's own RSGI worker does, but without a task for each request."""
    loop = asyncio.get_running_loop()
    stopped = loop.create_future()
    signal.add_cb(lambda: loop.call_soon_threadsafe(stopped.set_result, None))
    inbox = _Inbox(loop)

    def schedule(watcher: Any) -> None:  # what it raised would be lost, and break the next call
        try:
            begun = take(watcher.scope, watcher.proto)
            if begun is not None:
                inbox.put(*begun)
        except Exception as error:
            log.exception("a request could not be taken")
            watcher.err(error)

    inside: Any = _granian
    scheduler = inside.CallbackScheduler(loop, None, None, None, None)
    scheduler._schedule_fn = schedule  # noqa: SLF001
    inside.RSGIWorker(
        worker,
        sockets,
        None,
        backpressure=bounds.connections,
        http_mode=HTTPModes.http1.value,
        http1_opts=_http1(bounds),
    ).serve_async(scheduler, inbox, signal)
    await stopped


class _Inbox:
    """Brings calls from Granian's threads into the loop, with one wake-up for many.

    To Granian's futures this is the loop, so that bodies come the same way.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._calls: deque[tuple[Callable[[Any], None], Any]] = deque()
        self._woken = False
        self._context = Context()  # nobody's trace

    def put(self, function: Callable[[Any], None], argument: Any) -> None:
        self._calls.append((function, argument))
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._empty, context=self._context)

    def call_soon_threadsafe(
        self, callback: Callable[[Any], None], future: Any, *, context: object = None
    ) -> None:
        """Have a future's callback called; `context` is None, or the caller's."""
        del context
        self.put(callback, future)

    call_soon = call_soon_threadsafe

    def _empty(self) -> None:
        self._woken = False  # whoever comes from now on wakes the loop again
        calls = self._calls
        for _ in range(len(calls)):
            function, argument = calls.popleft()
            try:
                function(argument)
            except Exception:
                log.exception("a request broke off")


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


class _Waited:
    """A protocol object whose answer is waited for."""

    def __init__(self, protocol: "Exchange", answered: "asyncio.Future[None]") -> None:
        self._protocol = protocol
        self._answered = answered

    def __call__(self) -> "Landing":
        return self._protocol()

    def __aiter__(self) -> Any:
        return self._protocol.__aiter__()

    def __anext__(self) -> "Landing":
        return self._protocol.__anext__()

    def response_bytes(self, status: int, headers: "Headers", body: bytes) -> None:
        self._protocol.response_bytes(status, headers, body)
        if not self._answered.done():
            self._answered.set_result(None)
