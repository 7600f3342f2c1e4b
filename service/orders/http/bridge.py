"""The way from RSGI to ASGI, for requests that are not hot.

The server speaks one interface, so what is cold is handed to its ASGI application here: a task for
each request, its body in pieces as they come, its answer in one.

An answer may come before all of the body has. The rest is read and thrown away: a connection that
is closed while its caller still sends is reset, and the caller may never see the answer. Where
that would be too much, of one body or of all of them (`budget.py`), or nobody sends it without a
100, the answer says that it is the last one.
"""

import asyncio
import contextlib
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final

from orders.http.asgi import App
from orders.http.budget import ORDINARY_BODY, Held
from orders.http.chunks import ended
from orders.http.exchanges import Last
from orders.http.rsgi import hidden_credentials, unreadable

if TYPE_CHECKING:
    from orders.http.asgi import Scope as ASGIScope
    from orders.http.budget import Budget
    from orders.http.rsgi import Exchange, Landing, Scope

_NOTHING_MORE: dict[str, Any] = {"type": "http.disconnect"}
_CLOSE: Final = ("connection", "close")
_THROWN_AWAY: Final = 16 * 1024 * 1024
"""Bytes of a body that are read after its answer,"""
_LINGER: Final = 2.0
"""and in how many seconds."""


class Bridge:
    """Takes requests to an ASGI application."""

    def __init__(self, app: App, budget: "Budget") -> None:
        """Keep it, and what bodies are charged to that are read after their answer."""
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
            protocol: what answers it.
            started: when it began, by time.perf_counter().
            sent: its body, as far as it was read; None if it broke off.
            read: whether it was read at all.
            whole: whether `sent` is all of it.

        """
        answered = asyncio.Event()
        body = _Body(scope, protocol, answered, Held(self._budget))
        if read:
            body.give(sent, whole=whole)
        # The application's log lines bear this request's trace, and no other's.
        answering = self._answer(scope, protocol, started, body, answered)
        self._keep(self._loop.create_task(answering, context=Context()))

    def unread(self, scope: "Scope", protocol: "Exchange", *, begun: bool = False) -> "Exchange":
        """Return what answers a request at once whose body, or its rest, is thrown away after."""
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
                parts.clear()  # the rest of a body may take its time
                answered.set()

        try:
            request = _asgi(scope, started)
            del scope  # it has the head, with the buffer that the server read it into
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
        # Bytes that are still to come; None where the body's own end says how long it is.
        self._missing = int(lengths[0]) if lengths else None
        self._is_there = bool(self._missing) or "transfer-encoding" in scope.headers
        self._is_asked_for = "expect" not in scope.headers
        self._protocol = protocol
        self._stream: Any = None
        self._given: dict[str, Any] | None = None
        self._ended = False
        self._gone = False  # the caller, or a part of the body

    def give(self, sent: bytes | None, *, whole: bool) -> None:
        """Have what was read already."""
        self._given = _NOTHING_MORE if sent is None else _message(sent, more=not whole)
        self._is_asked_for = True
        if whole:
            self._is_there = False
        else:
            self.begun()

    def begun(self) -> None:
        """Have been read in part."""
        self._is_asked_for = True
        self._stream = self._protocol

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
        piece = await self._next()
        if piece:
            return _message(piece, more=True)
        self._ended = True
        self._gone = not self._whole()
        return _NOTHING_MORE if self._gone else _message(b"", more=False)

    def may_be_thrown_away(self) -> bool:
        """Whether what is left of it is to be read after the answer, for which it is charged.

        It is not where that is too much, where there is no memory for it, as bodies of others are
        thrown away, or where the caller waits for a 100.
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
        """Read what is left of it, if anything is, and if it may."""
        left = _THROWN_AWAY
        try:
            with contextlib.suppress(Exception):  # a time-out, or whatever breaks a body off
                async with asyncio.timeout(_LINGER):
                    while self._is_there and left > 0:
                        left -= len(await self._next())
        finally:
            self._held.release()

    @property
    def _is_ordinary(self) -> bool:
        """Whether what is left of it is no more than what is not charged."""
        return self._missing is not None and self._missing <= ORDINARY_BODY

    async def _next(self) -> bytes:
        """Return the next piece of it; an empty one is its end, or that of all hope."""
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
    """Return ASGI's words for a request; `orders_unreadable` is a header that must be refused.

    A credential that cannot be read is one that nobody has, and not absent.
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
