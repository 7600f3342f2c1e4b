"""The bridge from RSGI to ASGI, for requests that are not hot.

The server speaks one interface, so this module hands cold requests to their ASGI application: one
task per request, the body in pieces as they arrive, the answer in one.

An answer may be ready before the whole body has arrived. The rest is then read and thrown away: a
connection that is closed while its caller still sends is reset, and the caller may never see the
answer. If that would be too much, of one body or of all (`budget.py`), or if the caller waits for
a 100 before it sends, the answer says instead that it is the last one on its connection.
"""

import asyncio
import contextlib
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final

from orders.http.asgi import App
from orders.http.budget import ORDINARY_BODY, Held
from orders.http.chunks import ended
from orders.http.exchanges import Last
from orders.http.rsgi import address, hidden_credentials, unreadable

if TYPE_CHECKING:
    from orders.http.asgi import Scope as ASGIScope
    from orders.http.budget import Budget
    from orders.http.rsgi import Exchange, Landing, Scope

_NOTHING_MORE: dict[str, Any] = {"type": "http.disconnect"}
_CLOSE: Final = ("connection", "close")
_THROWN_AWAY: Final = 16 * 1024 * 1024
"""The most bytes of a body that are read after its answer."""
_LINGER: Final = 2.0
"""The most seconds that this reading takes."""


class Bridge:
    """Takes requests to an ASGI application."""

    def __init__(self, app: App, budget: "Budget") -> None:
        """Keep the application, and the budget for bodies that are read after their answer."""
        self.app = app
        self._budget = budget
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
            protocol: answers it.
            started: when it began, by time.perf_counter().
            sent: its body, as far as it was read; None if it broke off.
            read: whether any of it was read.
            whole: whether `sent` is all of it.

        """
        answered = asyncio.Event()
        body = _Body(scope, protocol, answered, Held(self._budget))
        if read:
            body.give(sent, whole=whole)
        # The application's log lines carry this request's trace, and no other's.
        answering = self._answer(scope, protocol, started, body, answered)
        self._keep(self._loop.create_task(answering, context=Context()))

    def unread(self, scope: "Scope", protocol: "Exchange", *, begun: bool = False) -> "Exchange":
        """Return what answers a request at once; what is left of its body is thrown away after."""
        body = _Body(scope, protocol, asyncio.Event(), Held(self._budget))
        if begun:
            body.begun()
        if not body.may_be_thrown_away():
            return Last(protocol)
        self._keep(self._loop.create_task(body.throw_away()))
        return protocol

    def _keep(self, task: asyncio.Task[None]) -> None:
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
                if not body.may_be_thrown_away() and _CLOSE not in headers:
                    headers.append(_CLOSE)
                protocol.response_bytes(status, headers, b"".join(parts))
                parts.clear()  # the rest of a body may take a while
                answered.set()

        try:
            request = _asgi(scope, started)
            del scope  # it holds the head, with the buffer that the server read it into
            await self.app(request, body.receive, send)
            del request
        finally:
            if not answered.is_set():  # it was cut off
                protocol.response_bytes(500, [], b"")
                answered.set()
        await body.throw_away()


class _Body:
    """The body of a request, as ASGI's messages."""

    def __init__(
        self, scope: "Scope", protocol: "Exchange", answered: asyncio.Event, held: Held
    ) -> None:
        self._answered = answered
        self._held = held
        lengths = scope.headers.get_all("content-length")
        # Bytes that are still to come; None if only the body's end tells its length.
        self._missing = int(lengths[0]) if lengths else None
        self._is_there = bool(self._missing) or "transfer-encoding" in scope.headers
        self._is_asked_for = "expect" not in scope.headers
        self._protocol = protocol
        self._stream: Any = None
        self._given: dict[str, Any] | None = None
        self._ended = False
        self._gone = False  # the caller, or a part of the body

    def give(self, sent: bytes | None, *, whole: bool) -> None:
        """Take what was already read."""
        self._given = _NOTHING_MORE if sent is None else _message(sent, more=not whole)
        self._is_asked_for = True
        if whole:
            self._is_there = False
        else:
            self.begun()

    def begun(self) -> None:
        """Note that part of the body was read."""
        self._is_asked_for = True
        self._stream = self._protocol

    async def receive(self) -> dict[str, Any]:
        """Return the next message; after the last one, a disconnect once the answer is sent."""
        if self._gone:
            return _NOTHING_MORE
        if self._ended:
            await self._answered.wait()
            return _NOTHING_MORE
        if self._given is not None:
            self._ended = True
            self._gone = self._given is _NOTHING_MORE
            return self._given
        piece = await self._next()
        if piece:
            return _message(piece, more=True)
        self._ended = True
        self._gone = not self._whole()
        return _NOTHING_MORE if self._gone else _message(b"", more=False)

    def may_be_thrown_away(self) -> bool:
        """Whether to read the rest of the body after the answer; if so, charge it.

        It is not read if it is too long, if there is no memory for it because other bodies are
        being thrown away, or if the caller waits for a 100.
        """
        if self._is_there and (
            not self._is_asked_for
            or (self._missing or 0) > _THROWN_AWAY
            or not (self._is_ordinary or self._held.may_arrive())
        ):
            self._is_there = False
            return False
        return True

    async def throw_away(self) -> None:
        """Read the rest of the body, if there is any and it may be read."""
        left = _THROWN_AWAY
        try:
            with contextlib.suppress(Exception):  # a timeout, or anything that breaks a body off
                async with asyncio.timeout(_LINGER):
                    while self._is_there and left > 0:
                        left -= len(await self._next())
        finally:
            self._held.release()

    @property
    def _is_ordinary(self) -> bool:
        """Whether the rest of the body is short enough not to be charged."""
        return self._missing is not None and self._missing <= ORDINARY_BODY

    async def _next(self) -> bytes:
        """Return the next piece of the body; an empty one means that no more will come."""
        self._is_asked_for = True
        if self._stream is None:
            self._stream = self._protocol.__aiter__()
        try:
            piece = await _landed(self._stream.__anext__())
        except asyncio.CancelledError:
            self._is_there = False  # it is late, and nobody waits for it any more
            raise
        if self._missing is not None:
            self._missing -= len(piece)
        self._is_there = bool(piece) and self._missing != 0
        return piece

    def _whole(self) -> bool:
        """Whether an empty piece was the end of the body."""
        return ended(self._stream) if self._missing is None else not self._missing


def _message(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def _landed(landing: "Landing") -> bytes:
    """Wait for a landing, whichever loop it belongs to."""
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
    """Return a request as ASGI's scope; `orders_unreadable` names a header to refuse.

    A credential that cannot be read counts as a wrong one, not as an absent one.
    """
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
        ]
        + [(name.encode(), b"\xff") for name in hidden_credentials(headers)],
        "client": address(scope.client),
        "server": address(scope.server),
        "state": {},
        "extensions": {},
        "orders_started": started,
    }
    if (name := unreadable(headers)) is not None:
        made["orders_unreadable"] = name
    return made
