"""The cold application: health, and Litestar for everything that is not hot.

Litestar is imported by the first request that needs it, in a thread, so that orders go on being
taken meanwhile: it adds a third of a second and a quarter of the memory, and most pods never see
a request that is not hot. While the process drains, every answer carries `Connection: close`:
the server itself keeps idle connections open, and clients must learn to leave.
"""

import asyncio
import logging
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from orders.errors import Internal
from orders.http.asgi import App, Headers, Receive, Scope, Send, closing, respond
from orders.http.cors import is_preflight
from orders.http.endpoints import ENDPOINTS
from orders.http.head import refusal
from orders.http.negotiation import joined
from orders.http.problems import render, unrecorded
from orders.service import begun
from orders.telemetry.context import current

if TYPE_CHECKING:
    from orders.http.bodies import Bodies
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

    def __init__(
        self,
        orders: "OrderService",
        requests: "Requests",
        health: "Health",
        bodies: "Bodies",
        preflight: Headers | None = None,
    ) -> None:
        """Keep what it calls.

        Args:
            orders: the service.
            requests: what records each request but probes.
            health: what answers probes.
            bodies: what waits for bodies.
            preflight: the answer to every preflight of CORS, if pages of others may ask.

        """
        self._orders = orders
        self._requests = requests
        self._health = health
        self._bodies = bodies
        self._preflight = preflight
        for endpoint in ENDPOINTS:
            requests.cold(endpoint.method, endpoint.path, 0)
        self._loading: asyncio.Future[App] | None = None
        self._static = {e.path: e.path for e in ENDPOINTS if "{" not in e.path}
        self._static.update({page: page for page in _PAGES})
        self._dynamic = {_parent(e.path): e.path for e in ENDPOINTS if "{" in e.path}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._health.answers(scope["path"]) and self._allowed(scope) is None:
            await self._probe(scope, send)
        else:
            await self._recorded(scope, receive, send)

    async def _probe(self, scope: Scope, send: Send) -> None:
        """Answer a probe, which is neither logged nor counted."""
        problem = refusal(scope)
        if problem is None:
            status, headers, body = await self._health.answer(scope)
        else:
            status, headers, body = unrecorded(problem, scope)
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
            scope["http_version"],
        )
        current.set(context)
        begun.set(started)
        correlation = (b"x-correlation-id", context.trace_id.encode())
        status = 500
        sent = False

        async def marked(message: dict[str, Any]) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status, sent = message["status"], True
                message["headers"] = [*message["headers"], correlation]
                if self._health.draining:
                    message["headers"] = closing(message["headers"])
            await send(message)

        async def patient() -> dict[str, Any]:
            return await self._bodies.receive(receive, started)

        if method == "HEAD":  # the server leaves the body out
            scope["method"] = "GET"
        try:
            if (refused := refusal(scope)) is not None:
                scope["orders_problem"] = refused.name
                await respond(marked, *render(refused, path, context.trace_id))
            elif (allowed := self._allowed(scope)) is not None:
                await respond(marked, HTTPStatus.NO_CONTENT, allowed, b"")
            else:
                app = await self._litestar()
                await app(scope, patient, marked)
        except Exception:
            log.exception("%s %s failed", method, route)
            if not sent:
                scope["orders_problem"] = Internal.name
                await respond(marked, *render(Internal(), path, context.trace_id))
        finally:
            problem = scope.get("orders_problem")
            self._requests.cold(method, route)
            self._requests.end(context, method, route, path, status, started, problem)

    def _allowed(self, scope: Scope) -> Headers | None:
        """Return the answer's headers where a request is a preflight, and those are answered."""
        return self._preflight if self._preflight and is_preflight(scope) else None

    async def _litestar(self) -> App:
        if self._loading is None:
            self._loading = asyncio.ensure_future(asyncio.to_thread(_load, self._orders))
        return await asyncio.shield(self._loading)


def _load(orders: "OrderService") -> App:
    from orders.http.app import create_app  # noqa: PLC0415  see the module's docstring

    return create_app(orders)  # type: ignore[return-value]


def _text(headers: Headers) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in joined(headers)}


def _parent(path: str) -> str:
    return path[: path.rfind("/") + 1]


def _other(path: str) -> str:
    return "/docs/{file}" if path.startswith("/docs/") else "unmatched"
