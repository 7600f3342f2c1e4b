"""The cold application: health, and Litestar for everything that is not hot.

Litestar is imported by the first request that needs it, in a thread, so that orders go on being
taken meanwhile: it adds a third of a second and a quarter of the memory, and most pods never see
a request that is not hot. While the process drains, every answer carries `Connection: close`:
the server itself keeps idle connections open, and clients must learn to leave.
"""

import asyncio
import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from orders.errors import Internal, Problem
from orders.http.answers import SMALL
from orders.http.asgi import App, Headers, Receive, Scope, Send, closing, respond
from orders.http.budget import Held, is_ordinary
from orders.http.endpoints import ENDPOINTS
from orders.http.head import refusal
from orders.http.negotiation import joined
from orders.http.problems import READING, render, unrecorded
from orders.service import begun
from orders.telemetry.context import current

if TYPE_CHECKING:
    from orders.http.answers import Answers
    from orders.http.bodies import Bodies
    from orders.http.budget import Budget
    from orders.http.health import Health
    from orders.service import OrderService
    from orders.telemetry.requests import Requests

_PAGES: Final = (
    "/", "/docs", "/schema/openapi.json", "/openapi.json", "/.well-known/openapi.json",
    "/.well-known/swagger",
)  # fmt: skip

log = logging.getLogger("orders.http")


class ColdApplication:
    """An ASGI application that answers whatever is asked."""

    def __init__(  # noqa: PLR0913  what it calls, each with its name
        self,
        orders: "OrderService",
        requests: "Requests",
        health: "Health",
        bodies: "Bodies",
        budget: "Budget",
        answers: "Answers",
    ) -> None:
        """Keep what it calls, what records each request but probes, and what bounds them."""
        self._orders = orders
        self._requests = requests
        self._health = health
        self._bodies = bodies
        self._budget = budget
        self._answers = answers
        for endpoint in ENDPOINTS:
            requests.cold(endpoint.method, endpoint.path, 0)
        self._loading: asyncio.Future[App] | None = None
        self._static = {e.path: e.path for e in ENDPOINTS if "{" not in e.path}
        self._static.update({page: page for page in _PAGES})
        self._dynamic = {_parent(e.path): e.path for e in ENDPOINTS if "{" in e.path}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._health.answers(scope["path"]):
            await self._probe(scope, send)
        else:
            await self._recorded(scope, receive, send)

    async def _probe(self, scope: Scope, send: Send) -> None:
        """Answer a probe, which is neither logged nor counted, and charged only if it is large."""
        held = Held(self._budget)
        try:
            if not is_ordinary(scope["headers"]):
                held.cold(scope["headers"])
            problem = refusal(scope)
            if problem is None:
                status, headers, body = await self._health.answer(scope)
            else:
                status, headers, body = unrecorded(problem, scope)
        except Problem as full:
            status, headers, body = unrecorded(full, scope)
        finally:
            held.release()
        if self._health.draining:
            headers = closing(headers)
        await respond(send, status, headers, body)

    async def _recorded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to Litestar, recorded as the hot ones are."""
        started = scope.get("orders_started") or perf_counter()
        method, path = scope["method"], scope["path"]
        route = self._static.get(path) or self._dynamic.get(_parent(path)) or _other(path)
        context = self._requests.begin(
            _text(scope["headers"]),
            "{}:{}".format(*(scope["client"] or ("", 0))),
            scope["query_string"].decode("latin-1"),
        )
        current.set(context)
        begun.set(started)
        answer = _Answer(scope, send, context.trace_id, self._health)
        held = answer.held = scope["orders_held"] = Held(self._budget)

        async def patient() -> dict[str, Any]:
            message = await self._bodies.receive(receive, started)
            held.arrived(len(message.get("body", b"")))
            return message

        if method == "HEAD":  # the server leaves the body out
            scope["method"] = "GET"
        try:
            held.cold(scope["headers"])
            if (refused := refusal(scope)) is not None:
                await answer.refuse(refused)
            else:
                app = await self._litestar()
                await app(scope, patient, answer.send)
        except Problem as problem:
            await answer.refuse(problem)
        except Exception:
            log.exception("%s %s failed", method, route)
            if not answer.sent:
                await answer.refuse(Internal())
        finally:
            unread = held.release(but=answer.size if answer.size > SMALL else 0)
            if unread:
                self._answers.sent(scope["client"], unread)
            problem_name = scope.get("orders_problem")
            self._requests.cold(method, route)
            self._requests.end(context, method, route, path, answer.status, started, problem_name)

    async def _litestar(self) -> App:
        if self._loading is None:
            self._loading = asyncio.ensure_future(asyncio.to_thread(_load, self._orders))
        return await asyncio.shield(self._loading)


class _Answer:
    """The answer to one request, on its way out."""

    def __init__(self, scope: Scope, send: Send, trace_id: str, health: "Health") -> None:
        self._scope = scope
        self._send = send
        self._trace_id = trace_id
        self._health = health
        self._start: dict[str, Any] | None = None
        self._safe = scope["method"] in READING
        self.held: Held
        self.status = 500
        self.sent = False
        self.size = 0

    async def send(self, message: dict[str, Any]) -> None:
        """Send a part of it, or a refusal instead of a page that there is no memory for."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        self.size += len(message.get("body", b""))
        start, self._start = self._start, None
        try:
            self.held.answers(self.size)
        except Problem as problem:
            if self._safe and start is not None:
                await self.refuse(problem)
                return
        if start is not None:
            await self._begin(start)
        if self.sent:
            await self._send(message)

    async def refuse(self, problem: Problem) -> None:
        """Answer with a problem."""
        self._scope["orders_problem"] = problem.name
        status, headers, body = render(problem, self._scope["path"], self._trace_id)
        self.size = 0
        await self._begin({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def _begin(self, start: dict[str, Any]) -> None:
        self.status, self.sent = start["status"], True
        headers = [*start["headers"], (b"x-correlation-id", self._trace_id.encode())]
        start["headers"] = closing(headers) if self._health.draining else headers
        await self._send(start)


def _load(orders: "OrderService") -> App:
    from orders.http.app import create_app  # noqa: PLC0415  see the module's docstring

    return create_app(orders)  # type: ignore[return-value]


def _text(headers: Headers) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in joined(headers)}


def _parent(path: str) -> str:
    return path[: path.rfind("/") + 1]


def _other(path: str) -> str:
    return "/docs/{file}" if path.startswith("/docs/") else "unmatched"
