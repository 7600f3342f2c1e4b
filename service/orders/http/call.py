"""A request of a hot endpoint, from its arrival to its answer.

A call is itself a waiter of a batch, so no coroutine, task or future has to stand between the
landing of the batch and the answer. Calls run in the loop's thread.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

import msgspec

from orders.batch import Waiter
from orders.errors import Internal, Problem
from orders.http.endpoint import Reply
from orders.http.problems import document
from orders.telemetry.context import TraceContext, current

if TYPE_CHECKING:
    from orders.database import Database
    from orders.hooks import Hooks
    from orders.http.answers import Answers
    from orders.http.bodies import Bodies
    from orders.http.bridge import Bridge
    from orders.http.budget import Budget
    from orders.http.health import Health
    from orders.http.rsgi import Exchange
    from orders.service import OrderService
    from orders.telemetry.requests import Requests

JSON: Final = ("content-type", "application/json")
_CLOSE: Final = ("connection", "close")

_encode: Final = msgspec.json.Encoder().encode

log = logging.getLogger("orders.http")


class Shared(msgspec.Struct, frozen=True):
    """What the calls share."""

    orders: "OrderService"
    requests: "Requests"
    health: "Health"
    bodies: "Bodies"
    bridge: "Bridge"
    budget: "Budget"
    answers: "Answers"
    database: "Database"
    loop: asyncio.AbstractEventLoop
    hooks: "Hooks | None" = None
    tasks: set["asyncio.Task[None]"] = msgspec.field(default_factory=set)
    """Those of endpoints' functions: the loop itself keeps no task alive."""


class Call(Waiter):
    """A request of a hot endpoint."""

    route: str
    usual: int
    """The status of a reply that names none."""
    context: TraceContext

    def __init__(  # noqa: PLR0913  facts of the request
        self,
        shared: Shared,
        protocol: "Exchange",
        method: str,
        path: str,
        headers: dict[str, str],
        client: str,
        version: str,
        started: float,
    ) -> None:
        """Keep the request.

        Args:
            shared: what the calls share.
            protocol: answers it.
            method: of the request.
            path: decoded.
            headers: by name in lower case.
            client: ADDRESS:PORT of the caller.
            version: of HTTP.
            started: when it began, by time.perf_counter().

        """
        self.item: Any = None
        self.link: TraceContext | None = None
        self._shared = shared
        self._protocol = protocol
        self._method = method
        self._path = path
        self._headers = headers
        self._client = client
        self._version = version
        self._started = started

    def begin(self) -> bool:
        """Become a request in flight; return whether it goes on, or is already answered."""
        context = self.context = self._shared.requests.begin(
            self._headers, self._client, version=self._version
        )
        if context.sampled:
            self.link = context
        return True

    def refuse(self, error: Exception) -> None:
        """Answer before anything was done."""
        if self.begin():
            self.fail(error)

    def settle(self, result: Any) -> None:
        """Answer with the batch's result."""
        self.done = True
        try:
            reply = self.reply(result)
            body = b"" if reply.body is None else _encode(reply.body)
        except Exception as error:  # noqa: BLE001  answered as what it is
            self.fail(error)
            return
        headers = [*reply.headers, ("x-correlation-id", self.context.trace_id)]
        if body:
            headers.append(JSON)
        self._send(reply.status or self.usual, headers, body, None)

    def fail(self, error: Exception) -> None:
        """Answer with a problem; any other exception is a defect, and logged."""
        self.done = True
        if not isinstance(error, Problem):
            token = current.set(self.context)
            log.error("%s %s failed", self._method, self.route, exc_info=error)
            current.reset(token)
            error = Internal()
        status, headers, body = document(error, self._path, self.context.trace_id)
        headers.append(("x-correlation-id", self.context.trace_id))
        self._send(status, headers, body, error.name)

    def reply(self, stored: Any) -> Reply[Any]:
        """Return the reply, made from the database's answer."""
        raise NotImplementedError

    def _send(
        self, status: int, headers: list[tuple[str, str]], body: bytes, problem: str | None
    ) -> None:
        shared = self._shared
        if shared.health.draining and _CLOSE not in headers:
            headers.append(_CLOSE)
        self._protocol.response_bytes(status, headers, body)
        shared.requests.end(
            self.context, self._method, self.route, self._path, status, self._started, problem
        )
