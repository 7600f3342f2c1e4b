"""The way from RSGI to ASGI, for requests that are not hot.

The server speaks one interface, so what is cold is handed to its ASGI application here: a task for
each request, its body in pieces as they come, its answer in one.
"""

import asyncio
from contextvars import Context
from typing import TYPE_CHECKING, Any

from orders.http.asgi import App
from orders.http.chunks import ended
from orders.http.rsgi import unreadable

if TYPE_CHECKING:
    from orders.http.asgi import Scope as ASGIScope
    from orders.http.rsgi import Exchange, Landing, Scope

_NOTHING_MORE: dict[str, Any] = {"type": "http.disconnect"}


class Bridge:
    """Takes requests to an ASGI application."""

    def __init__(self, app: App) -> None:
        """Keep it."""
        self.app = app
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(  # noqa: PLR0913  one fact each
        self,
        scope: "Scope",
        protocol: "Exchange",
        started: float,
        sent: bytes | None = b"",
        *,
        read: bool = True,
        whole: bool = True,
    ) -> None:
        """Answer a request in a task of its own; in the loop's thread.

        Args:
            scope: the request.
            protocol: what answers it.
            started: when it began, by time.perf_counter().
            sent: its body, as far as it was read; None if it broke off.
            read: whether it was read at all.
            whole: whether `sent` is all of it.

        """
        answered = asyncio.Event()
        body = _Body(scope, protocol, answered)
        if read:
            body.give(sent, whole=whole)
        # The application's log lines bear this request's trace, and no other's.
        task = self._loop.create_task(
            self._answer(scope, protocol, started, body, answered), context=Context()
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(
        self,
        scope: "Scope",
        protocol: "Exchange",
        started: float,
        body: "_Body",
        answered: asyncio.Event,
    ) -> None:
        status = 500
        headers: list[tuple[str, str]] = []
        parts: list[bytes] = []

        async def send(message: dict[str, Any]) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [
                    (name.decode(), value.decode("latin-1")) for name, value in message["headers"]
                ]
                return
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                protocol.response_bytes(status, headers, b"".join(parts))
                answered.set()

        try:
            request = _asgi(scope, started)
            del scope  # it has the head, with the buffer that the server read it into
            await self.app(request, body.receive, send)
        finally:
            if not answered.is_set():  # it was cut off
                protocol.response_bytes(500, [], b"")
                answered.set()


class _Body:
    """The body of a request, as ASGI's messages."""

    def __init__(self, scope: "Scope", protocol: "Exchange", answered: asyncio.Event) -> None:
        self._answered = answered
        lengths = scope.headers.get_all("content-length")
        # Bytes that are still to come; None where the body's own end says how long it is.
        self._missing = int(lengths[0]) if lengths else None
        self._protocol = protocol
        self._stream: Any = None
        self._given: dict[str, Any] | None = None
        self._ended = False
        self._gone = False  # the caller, or a part of the body

    def give(self, sent: bytes | None, *, whole: bool) -> None:
        """Have what was read already."""
        self._given = _NOTHING_MORE if sent is None else _message(sent, more=not whole)

    async def receive(self) -> dict[str, Any]:
        """Return the next message; after the last one, that there is none, once it is answered."""
        if self._gone:
            return _NOTHING_MORE
        if self._ended:
            await self._answered.wait()
            return _NOTHING_MORE
        if self._given is not None:
            self._ended = True
            self._gone = self._given is _NOTHING_MORE
            return self._given
        if self._stream is None:
            self._stream = self._protocol.__aiter__()
        piece = await _landed(self._stream.__anext__())
        if self._missing is not None:
            self._missing -= len(piece)
        if piece:
            return _message(piece, more=True)
        self._ended = True
        self._gone = not self._whole()
        return _NOTHING_MORE if self._gone else _message(b"", more=False)

    def _whole(self) -> bool:
        """Whether an empty piece was the end of the body."""
        return ended(self._stream) if self._missing is None else not self._missing


def _message(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def _landed(landing: "Landing") -> bytes:
    """Wait for something, whichever loop it knows of."""
    arrived = asyncio.get_running_loop().create_future()

    def tell(_: object) -> None:
        if not arrived.done():
            arrived.set_result(None)

    landing.add_done_callback(tell)
    try:
        await arrived
    except asyncio.CancelledError:
        landing.cancel()
        raise
    return landing.result()


def _asgi(scope: "Scope", started: float) -> "ASGIScope":
    """Return ASGI's words for a request; `orders_unreadable` is a header that must be refused."""
    headers = scope.headers
    made: ASGIScope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": scope.http_version,
        "method": scope.method,
        "scheme": scope.scheme,
        "path": scope.path,
        "raw_path": scope.path.encode("utf-8", "replace"),
        "query_string": scope.query_string.encode("latin-1", "replace"),
        "root_path": "",
        "headers": [
            (name.encode(), value.encode())
            for name in headers.keys()  # noqa: SIM118  it is no mapping
            for value in headers.get_all(name)
        ],
        "client": _address(scope.client),
        "server": _address(scope.server),
        "state": {},
        "extensions": {},
        "orders_started": started,
    }
    if (name := unreadable(headers)) is not None:
        made["orders_unreadable"] = name
    return made


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)
