"""The Litestar application, for every request that the hot path does not take.

It owns routing, OPTIONS, 404 and 405, the documentation, and with `handlers.py` every rule of
validation. All failures, including Litestar's own, leave through `problems.render`.
"""

import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.handlers import HTTPRouteHandler, route

from orders.errors import (
    ContentTooLarge,
    Internal,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    Problem,
)
from orders.http import docs as documentation
from orders.http.endpoints import ENDPOINTS
from orders.http.handlers import handlers
from orders.http.negotiation import joined
from orders.http.problems import render
from orders.http.routes import LONGEST
from orders.http.validation import bare, invalid
from orders.telemetry.context import current

if TYPE_CHECKING:
    from collections.abc import Iterable

    from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Receive, Scope, Send

    from orders.auth.gate import Gate
    from orders.database import Database
    from orders.service import OrderService

Rendered = tuple[int, list[tuple[bytes, bytes]], bytes]

_DEFECT: Final = 500
_LEFT: Final = "client disconnected prematurely"
"""Litestar's message, with status 500, for a body that ends early."""

log: Final = logging.getLogger("orders.http")


class Application(Litestar):
    """Litestar with exact paths, and with repeated headers joined."""

    async def __call__(
        self,
        scope: "Scope | LifeSpanScope",
        receive: "Receive | LifeSpanReceive",
        send: "Send | LifeSpanSend",
    ) -> None:
        """Answer one request.

        Litestar takes `/orders/` and `//orders` for `/orders`, but here a resource has one path: a
        single extra slash at its end is redirected, as in FastAPI; anything else is not found.
        """
        if scope["type"] != "lifespan":
            # Host does not matter here, and its value was checked before.
            others = (header for header in scope["headers"] if header[0] != b"host")
            scope["headers"] = [(b"host", b"orders"), *joined(others)]
            path = scope["path"] = scope["path"][:LONGEST]  # no longer path exists
            if path == "*":  # the server as a whole (RFC 9110, 9.3.7)
                allow = _allow({endpoint.method for endpoint in ENDPOINTS})
                await _send(send, (204, [(b"allow", allow.encode())], b""))
                return
            if "//" in path or (path.endswith("/") and path != "/"):
                await _send(send, self._elsewhere(scope, path))
                return
        await super().__call__(scope, receive, send)

    def _elsewhere(self, scope: "Scope", path: str) -> Rendered:
        """Redirect to the path without its last slash, if that exists."""
        target = path[:-1]
        if "//" in path or not self._exists(target):
            return _render(scope, NotFound(_nothing(path)))
        query = scope["query_string"]
        location = quote(target, errors="replace").encode() + (b"?" + query if query else b"")
        return 307, [(b"location", location), (b"content-length", b"0")], b""

    def _exists(self, path: str) -> bool:
        try:
            self.asgi_router.handle_routing(path=path, method="OPTIONS")
        except NotFoundException:
            return False
        return True


def create_app(
    orders: "OrderService",
    gate: "Gate | None" = None,
    *,
    database: "Database | None" = None,
    docs: bool = True,
) -> Application:
    """Return the ASGI application that serves these orders.

    A request that fails leaves the name of its problem in the scope, as `orders_problem`.

    Args:
        orders: the order service.
        gate: admits callers, found in the scope as `orders_caller`; None admits everybody.
        database: passed to endpoints with statements of their own.
        docs: whether to serve the documentation.

    """
    routes = handlers(gate)
    if docs:
        routes += documentation.handlers(() if gate is None else gate.schemes)
    return Application(
        route_handlers=[*_options(routes), *routes],  # else Litestar adds its own OPTIONS
        state=State({"orders": orders, "database": database}),
        exception_handlers={Exception: _answer},
        openapi_config=None,
        logging_config=None,
    )


def _options(routes: "Iterable[HTTPRouteHandler]") -> list[HTTPRouteHandler]:
    """Return an OPTIONS handler for each path."""
    methods: defaultdict[str, set[str]] = defaultdict(set)
    for handler in routes:
        for path in handler.paths:
            methods[path] |= set(handler.http_methods)
    return [_allowing(path, _allow(found)) for path, found in methods.items()]


def _allowing(path: str, allow: str) -> HTTPRouteHandler:
    @route(path, http_method="OPTIONS", status_code=204, sync_to_thread=False)
    def options() -> Response[None]:
        return Response(None, headers={"allow": allow})

    return options


def _allow(methods: "Iterable[str]") -> str:
    """Return the value of Allow: with GET comes HEAD, and OPTIONS is everywhere."""
    found = {*methods, "OPTIONS"}
    return ", ".join(sorted(found | {"HEAD"} if "GET" in found else found))


def _answer(request: Request[Any, Any, State], error: Exception) -> Response[bytes]:
    status, headers, body = _render(request.scope, _problem(request, error))
    fields = {name.decode(): value.decode("latin-1") for name, value in headers}
    del fields["content-length"]
    return Response(
        body, status_code=status, headers=fields, media_type=fields.pop("content-type")
    )


async def _send(send: Any, rendered: Rendered) -> None:
    status, headers, body = rendered
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _render(scope: "Scope", problem: Problem) -> Rendered:
    scope["orders_problem"] = problem.name  # type: ignore[typeddict-unknown-key]
    scope.setdefault("orders_failure", problem)  # type: ignore[typeddict-item]
    context = current.get()
    return render(problem, scope["path"], "" if context is None else context.trace_id)


def _problem(  # noqa: PLR0911  one for each kind
    request: Request[Any, Any, State], error: Exception
) -> Problem:
    """Turn any failure into one of our problems."""
    match error:
        case Problem():
            return error
        case NotFoundException():
            return NotFound(_nothing(request.scope["path"]))
        case MethodNotAllowedException():
            allow = _allow((error.headers or {}).get("allow", "").split(", "))
            return MethodNotAllowed.of(request.scope["method"], allow)
        case RequestEntityTooLarge():
            return ContentTooLarge.of(request.route_handler.resolve_request_max_body_size())
        case ValidationException():
            return _invalid(error)
        case HTTPException() if error.detail == _LEFT:
            return InvalidRequest("the body ended early, or has trailers, which are not accepted")
        case HTTPException() if error.status_code < _DEFECT:
            return InvalidRequest(error.detail)
        case _:
            log.error(
                "%s %s failed", request.scope["method"], request.scope["path"], exc_info=error
            )
            request.scope["orders_failure"] = error  # type: ignore[typeddict-unknown-key]
            return Internal()


def _invalid(error: ValidationException) -> InvalidRequest:
    """Say which parameter Litestar found wrong."""
    entry: Any = next(iter(error.extra or ()), None)
    if entry is None:
        return InvalidRequest(error.detail)
    return invalid(f"#/{entry['source'].value}/{entry['key']}", bare(entry["message"]))


def _nothing(path: str) -> str:
    return f"there is nothing at {path}"
