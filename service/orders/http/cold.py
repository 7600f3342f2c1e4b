"""The cold application: health, and Litestar for everything that is not hot.

The first request that needs Litestar imports it, in a thread, so that orders are still taken
meanwhile: it adds a third of a second and a quarter of the memory, and most pods never see a
request that is not hot. While the process drains, every answer carries `Connection: close`: the
server itself closes idle connections only after HTTP_KEEP_ALIVE_TIMEOUT, and clients have to
leave before.
"""

import asyncio
import logging
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from orders.auth.caller import NOBODY
from orders.auth.outcomes import ACCEPTED
from orders.errors import Internal, Problem
from orders.hooks import Request
from orders.http.asgi import App, Headers, Receive, Scope, Send, closing, respond
from orders.http.budget import Held, is_ordinary
from orders.http.cold_answer import ColdAnswer
from orders.http.cors import is_preflight
from orders.http.endpoints import ENDPOINTS
from orders.http.head import refusal
from orders.http.negotiation import joined
from orders.http.problems import unrecorded
from orders.http.routes import Routes
from orders.service import begun, owner
from orders.telemetry.context import current

if TYPE_CHECKING:
    from orders.auth.gate import Gate
    from orders.database import Database
    from orders.hooks import Hooks
    from orders.http.answers import Answers
    from orders.http.bodies import Bodies
    from orders.http.budget import Budget
    from orders.http.health import Health
    from orders.service import OrderService
    from orders.telemetry.context import TraceContext
    from orders.telemetry.requests import Requests

_PAGES: Final = (
    "/", "/docs", "/schema/openapi.json", "/openapi.json", "/.well-known/openapi.json",
    "/.well-known/swagger",
)  # fmt: skip
_FOLDER: Final = "/docs/"
_FILES: Final = "/docs/{file}"

log = logging.getLogger("orders.http")


class ColdApplication:
    """The ASGI application that answers every cold request."""

    def __init__(  # noqa: PLR0913  one fact each
        self,
        orders: "OrderService",
        requests: "Requests",
        health: "Health",
        bodies: "Bodies",
        *,
        budget: "Budget",
        answers: "Answers",
        database: "Database | None" = None,
        gate: "Gate | None" = None,
        hooks: "Hooks | None" = None,
        preflight: Headers | None = None,
        docs: bool = True,
    ) -> None:
        """Keep what it calls.

        Args:
            orders: the service.
            requests: records each request but probes.
            health: answers probes.
            bodies: waits for bodies.
            budget: charged for requests.
            answers: keeps large answers charged until they are read.
            database: passed to endpoints with statements of their own.
            gate: asked before anything else; None admits everybody.
            hooks: called for each request that is recorded; None without any.
            preflight: the answer to every preflight of CORS, if other origins are allowed.
            docs: whether to serve the documentation.

        """
        self._orders = orders
        self._database = database
        self._hooks = hooks
        self._requests = requests
        self._health = health
        self._bodies = bodies
        self._budget = budget
        self._answers = answers
        self._preflight = preflight
        for endpoint in ENDPOINTS:
            requests.cold(endpoint.method, endpoint.path, 0)
        self._loading: asyncio.Future[App] | None = None
        self._routes = Routes([*(e.path for e in ENDPOINTS), *(_PAGES if docs else ())])
        self._docs = docs
        self._gate = gate
        self._requires = {(e.method, e.path): e.requires for e in ENDPOINTS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._health.answers(scope["path"]) and self._allowed(scope) is None:
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
        route = self._routes.of(path) or self._other(path)
        context = self._requests.begin(
            _text(scope["headers"]),
            "{}:{}".format(*(scope["client"] or ("", 0))),
            scope["query_string"].decode("latin-1"),
            scope["http_version"],
        )
        current.set(context)
        begun.set(started)
        held = scope["orders_held"] = Held(self._budget)
        answer = ColdAnswer(scope, send, context.trace_id, self._health, held)
        if self._hooks is not None:
            answer.hook(self._hooks, Request(method, path, route, context))

        async def patient() -> dict[str, Any]:
            message = await self._bodies.receive(receive, started)
            held.arrived(len(message.get("body", b"")))
            return message

        if method == "HEAD":  # the server leaves the body out
            scope["method"] = "GET"
        try:
            refused = None if self._gate is None else self._unwelcome(scope, route, context)
            if refused is None:
                held.cold(scope["headers"])
            if (refused := refused or refusal(scope)) is not None:
                await answer.refuse(refused)
            elif (allowed := self._allowed(scope)) is not None:
                await respond(answer.send, HTTPStatus.NO_CONTENT, allowed, b"")
            else:
                answer.begin()
                app = await self._litestar()
                await app(scope, patient, answer.send)
        except Problem as problem:
            await answer.refuse(problem)
        except Exception as error:
            log.exception("%s %s failed", method, route)
            scope["orders_failure"] = error
            if not answer.sent:
                await answer.refuse(Internal())
        finally:
            # Its traceback has this scope: a cycle, which would keep the connection open.
            scope.pop("orders_failure", None)
            answer.release(self._answers)
            problem_name = scope.get("orders_problem")
            self._requests.cold(method, route)
            self._requests.end(context, method, route, path, answer.status, started, problem_name)

    def _allowed(self, scope: Scope) -> Headers | None:
        """Return the answer's headers if a request is a preflight that CORS answers."""
        return self._preflight if self._preflight and is_preflight(scope) else None

    def _unwelcome(self, scope: Scope, route: str, context: "TraceContext") -> Problem | None:
        """Return why the caller is refused, or None; the scope gets the caller.

        A path that is not known to be open is closed, even if it does not exist.
        """
        gate = self._gate
        scope["orders_caller"] = NOBODY
        if gate is None or is_preflight(scope) or self._is_open(scope["path"]):
            return None
        try:
            caller = gate.caller(context.headers)
            context.subject = caller.name
            requires = self._requires.get((scope["method"], route))
            if requires is not None:
                gate.check(caller, requires)
        except Problem as problem:
            return problem
        gate.count(ACCEPTED)
        scope["orders_caller"] = caller
        owner.set(caller.owner)
        return None

    def _is_open(self, path: str) -> bool:
        return self._docs and (path in _PAGES or _parent(path) == _FOLDER)

    def _other(self, path: str) -> str:
        return _FILES if self._docs and path.startswith(_FOLDER) else "unmatched"

    async def _litestar(self) -> App:
        if self._loading is None:
            self._loading = asyncio.ensure_future(asyncio.to_thread(self._load))
        return await asyncio.shield(self._loading)

    def _load(self) -> App:
        from orders.http.app import create_app  # noqa: PLC0415  see the module's docstring

        return create_app(self._orders, self._gate, database=self._database, docs=self._docs)  # type: ignore[return-value]


def _text(headers: Headers) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in joined(headers)}


def _parent(path: str) -> str:
    return path[: path.rfind("/") + 1]
