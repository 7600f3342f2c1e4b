"""The answer to one request of the cold application: charged to memory, and given its headers."""

from typing import TYPE_CHECKING, Any

from orders.errors import Problem
from orders.http.answers import SMALL
from orders.http.asgi import Headers, Scope, Send, closing, respond
from orders.http.budget import Held
from orders.http.problems import READING, render

if TYPE_CHECKING:
    from orders.hooks import Hooks, Request
    from orders.http.answers import Answers
    from orders.http.health import Health


class ColdAnswer:
    """One answer; `held` is what its request holds, the answer included."""

    def __init__(
        self, scope: Scope, send: Send, trace_id: str, health: "Health", held: Held
    ) -> None:
        """Start with nothing sent.

        Args:
            scope: of the request.
            send: takes the parts.
            trace_id: of the request.
            health: knows whether the process drains.
            held: what the request holds.

        """
        self.held = held
        self.status = 500
        self.sent = False
        self._scope = scope
        self._send = send
        self._trace_id = trace_id
        self._health = health
        self._start: dict[str, Any] | None = None
        self._hooks: Hooks | None = None
        self._request: Request | None = None
        self._size = 0

    def hook(self, hooks: "Hooks", request: "Request") -> None:
        """Call these hooks for the request."""
        self._hooks = hooks
        self._request = request

    def begin(self) -> None:
        """Call the `before` hooks; their exceptions propagate."""
        if self._hooks is not None and self._request is not None:
            self._hooks.begin(self._request)

    async def send(self, message: dict[str, Any]) -> None:
        """Send a part of the answer, or a refusal if there is no memory for a page."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._size += len(message.get("body", b""))
        start, self._start = self._start, None
        try:
            self.held.answers(self._size)
        except Problem as problem:
            if self._scope["method"] in READING and start is not None:
                await self.refuse(problem)
                return
        if start is not None:
            await self._begin(start)
        if self.sent:
            await self._send(message)

    async def refuse(self, problem: Problem) -> None:
        """Answer with a problem."""
        self._scope["orders_problem"] = problem.name
        self._scope.setdefault("orders_failure", problem)
        self._size = 0
        rendered = render(problem, self._scope["path"], self._trace_id)
        await respond(self._pass, *rendered)

    def release(self, answers: "Answers") -> None:
        """Hold nothing more, except a large answer until it is read."""
        if (failure := self._scope.pop("orders_failure", None)) is not None:
            failure.__traceback__ = None  # its frames hold the scope and the body: a cycle
        unread = self.held.release(but=self._size if self._size > SMALL else 0)
        if unread:
            answers.sent(self._scope["client"], unread)

    async def _pass(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            await self._begin(message)
        else:
            await self._send(message)

    async def _begin(self, start: dict[str, Any]) -> None:
        self.status, self.sent = start["status"], True
        headers = [*start["headers"], (b"x-correlation-id", self._trace_id.encode())]
        if self._hooks is not None and self._request is not None:
            headers = self._hooked(self._hooks, self._request, headers)
        start["headers"] = closing(headers) if self._health.draining else headers
        await self._send(start)

    def _hooked(self, hooks: "Hooks", request: "Request", headers: Headers) -> Headers:
        """Call the hooks for the answer; return its headers with those that they add."""
        failure: Exception | None = self._scope.get("orders_failure")
        if failure is not None:
            hooks.fail(request, failure)
        shown = [(name.decode(), value.decode("latin-1")) for name, value in headers]
        hooks.answer(request, self.status, shown)
        return [(name.encode(), value.encode("latin-1")) for name, value in shown]
