"""The calls that are hot: a read and a create, each from its arrival to its answer.

A call is itself a waiter of a batch, so no coroutine, task or future stands between the landing of
the batch and the answer. A request that a call does not take goes on to the cold application
unchanged, so that every error of validation is written once. Calls run in the loop's thread.
"""

import logging
from typing import TYPE_CHECKING, Any, Final

import msgspec

from orders.batch import Waiter
from orders.errors import Internal, Problem, RequestTimeout
from orders.http.budget import Held
from orders.http.chunks import Chunks, TooLong
from orders.http.endpoint import BODY_LIMIT, Reply
from orders.http.endpoints.orders import created, found, insertable
from orders.http.problems import document
from orders.model import RESOURCE, NewOrder, Order
from orders.service import KeyWithoutOrder, NewRow, existing
from orders.telemetry.context import TraceContext, current

if TYPE_CHECKING:
    from orders.hooks import Hooks
    from orders.http.bodies import Bodies
    from orders.http.bridge import Bridge
    from orders.http.budget import Budget
    from orders.http.health import Health
    from orders.http.rsgi import Exchange, Landing, Scope
    from orders.service import OrderService
    from orders.telemetry.requests import Requests

_JSON: Final = ("content-type", "application/json")
_CLOSE: Final = ("connection", "close")
_NOT_AN_ORDER: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(NewOrder).decode

log = logging.getLogger("orders.http")


class Shared(msgspec.Struct, frozen=True):
    """What the calls share."""

    orders: "OrderService"
    requests: "Requests"
    health: "Health"
    bodies: "Bodies"
    bridge: "Bridge"
    budget: "Budget"
    hooks: "Hooks | None" = None


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
        self.begin()
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
            headers.append(_JSON)
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

    def reply(self, stored: Any) -> Reply[Order]:
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


class ReadCall(Call):
    """GET or HEAD /orders/{id}."""

    route = f"{RESOURCE}/{{id}}"
    usual = 200

    def go(self, order_id: str) -> None:
        """Ask for the order with this id."""
        self.item = order_id
        if self.begin():
            try:
                self._shared.orders.read(self, self._started)
            except Exception as error:  # noqa: BLE001  told as what it is
                self.fail(error)

    def reply(self, stored: Order | None) -> Reply[Order]:
        """Reply with the order, or with 304 if the caller has it."""
        order = existing(self.item, stored)
        headers = self._headers
        return found(order, headers.get("if-none-match"), headers.get("if-match"))


class CreateCall(Call):
    """POST /orders."""

    route = RESOURCE
    usual = 201
    owner = ""
    """The subject that owns its Idempotency-Key; empty without authentication."""

    def receive(self, scope: "Scope", length: int | None) -> None:
        """Read the body, and go on in the loop; from any thread.

        Args:
            scope: of the request, for the cold application.
            length: bytes of the body, if they are known.

        """
        self._scope = scope
        self._length = length
        stream = self._stream = self._protocol.__aiter__()
        body: Landing
        if length is not None:
            body = stream.__anext__()  # nearly always all of it
        else:
            body = Chunks(stream, BODY_LIMIT, Held(self._shared.budget))
        self._body = body
        self._shared.bodies.expect(self, self._started)
        body.add_done_callback(self._arrived)

    def _arrived(self, body: Any) -> None:
        bodies = self._shared.bodies
        if not bodies.came(self):
            return  # it was late
        del self._body  # else it would be a cycle that nobody collects
        try:
            sent: bytes = body.result()
        except TooLong as long:
            self._go_cold(long.sent, whole=False)
        except Problem as refused:
            self._protocol = self._shared.bridge.unread(self._scope, self._protocol, begun=True)
            CreateCall.refuse(self, refused)
        except Exception as error:  # noqa: BLE001  the caller left, or its body is broken
            # The body keeps the error, its traceback this frame, and that the body: a cycle.
            error.__traceback__ = None
            self._go_cold(None)
        else:
            length = self._length
            if length is None or len(sent) == length:
                self._go(sent)
            elif not sent:
                self._go_cold(None)
            else:
                self._read_on(sent, length)

    def _read_on(self, sent: bytes, length: int) -> None:
        """Read the rest of a body whose first piece was not the whole."""
        held = Held(self._shared.budget)
        rest = Chunks(self._stream, BODY_LIMIT, held, length=length, sent=sent)
        self._length = None  # `rest` checks it
        self._body = rest
        self._shared.bodies.expect(self, self._started)
        rest.add_done_callback(self._arrived)

    def _go(self, sent: bytes) -> None:
        try:
            new = _decode(sent)
        except _NOT_AN_ORDER:
            self._go_cold(sent)
            return
        del self._scope  # it holds the head, with the buffer that the server read it into
        if not self.begin():
            return
        orders = self._shared.orders
        try:
            key = insertable(new, self._headers.get("idempotency-key"))
            self.item = NewRow(new, key, self.owner)
            orders.insert(self, self._started)
        except Exception as error:  # noqa: BLE001  told as what it is
            self.fail(error)

    def _go_cold(self, sent: bytes | None, *, whole: bool = True) -> None:
        shared = self._shared
        shared.bridge.start(self._scope, self._protocol, self._started, sent, whole=whole)

    def late(self, problem: RequestTimeout) -> None:
        """Answer that the body did not arrive in time."""
        self._body.cancel()
        del self._body, self._stream
        self.refuse(problem)

    def settle(self, result: Any) -> None:
        """Answer with the batch's result, or ask again for an order that is not visible yet."""
        if isinstance(result, KeyWithoutOrder):
            self.done = True
            self._shared.orders.ask_again(self)
        else:
            super().settle(result)

    def reply(self, stored: Order | None) -> Reply[Order]:
        """Reply with the order, which may be an earlier one with the same key."""
        return created(*self._shared.orders.outcome(self.item, stored))
