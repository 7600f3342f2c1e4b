"""The calls of a team's own hot endpoints: a task each, for the function, and nothing else cold.

A call is charged to memory as long as it lasts, because what its function holds is not known.
"""

from typing import TYPE_CHECKING, Any, Final

from orders.auth.caller import NOBODY, Caller
from orders.batch import start
from orders.errors import Internal, Problem
from orders.http.answers import SMALL
from orders.http.body_call import BodyCall
from orders.http.budget import Held, parsed
from orders.http.call import JSON
from orders.http.calls import NOT_DECODED
from orders.http.endpoint import Reply
from orders.http.long_names import LONGEST, long_name
from orders.http.problems import READING
from orders.http.replies import BODILESS, rendered
from orders.http.rsgi import address
from orders.service import begun, owner
from orders.telemetry.context import current

if TYPE_CHECKING:
    from orders.http.hot_endpoints import Match
    from orders.http.rsgi import Scope

HELD: Final = 8 * 1024
"""Bytes that a call is charged for beside its body: its task, and what its function holds."""
_NUL: Final = rb"\u0000"


class EndpointCall(BodyCall):
    """A request of a hot endpoint."""

    match: "Match"
    caller: Caller = NOBODY

    def start(self, match: "Match", scope: "Scope") -> None:
        """Begin, in the loop's thread.

        Args:
            match: the endpoint, and its arguments in the request's head.
            scope: of the request, for the cold application.

        """
        self.match = match
        self.route = match.endpoint.path
        self.usual = match.endpoint.status
        self.limit = match.endpoint.body_limit
        self._scope = scope
        self._held = Held(self._shared.budget)
        self.admit()

    def admit(self) -> None:
        """Go on with a caller who may call."""
        budget = self._shared.budget
        try:
            self._held.grow(HELD, budget.for_bodies if self._has_body else None)
        except Problem as full:
            self.refuse(full)
            return
        if self._has_body:
            self.receive(self._scope, self.match.length)
        else:
            self._run()

    def refuse(self, error: Exception) -> None:
        """Answer before anything was done, and throw the body away."""
        if self._has_body:
            self._protocol = self._shared.bridge.unread(self._scope, self._protocol)
        super().refuse(error)

    @property
    def _has_body(self) -> bool:
        return self.match.decode is not None

    def _go(self, sent: bytes) -> None:
        # What is stored has no NUL, and a name that is too long is refused: the rules for both
        # are those of the cold application.
        if _NUL in sent or (len(sent) > LONGEST and long_name(sent) is not None):
            self._go_cold(sent)
            return
        try:
            self.match.arguments["body"] = self.match.decode(sent)  # type: ignore[misc]  # has a body
            self._held.grow(parsed(len(sent)), self._shared.budget.for_bodies)
        except (*NOT_DECODED, Problem):
            self._go_cold(sent)
            return
        self._run()

    def _go_cold(self, sent: bytes | None, *, whole: bool = True) -> None:
        self._held.release()
        super()._go_cold(sent, whole=whole)

    def _run(self) -> None:
        del self._scope  # it holds the head, with the buffer that the server read it into
        if self.begin():
            task = start(self._shared.loop, self._call())
            self._shared.tasks.add(task)
            task.add_done_callback(self._shared.tasks.discard)

    async def _call(self) -> None:
        """Call the function, in the task's own context."""
        current.set(self.context)
        begun.set(self._started)
        owner.set(self.caller.owner)
        match, shared = self.match, self._shared
        services = {
            "OrderService": shared.orders,
            "Database": shared.database,
            "Caller": self.caller,
        }
        taken = (services[name] for name in match.endpoint.takes)
        try:
            result = await match.endpoint.call(*taken, **match.arguments)
        except Exception as error:  # noqa: BLE001  told as what it is
            self.fail(error)
        except BaseException:
            self.fail(Internal())
            raise
        else:
            self.settle(result)

    def settle(self, result: Any) -> None:
        """Answer with what the function returned."""
        try:
            reply = result if isinstance(result, Reply) else Reply(result)
            status, headers, body = rendered(self.match.endpoint, reply)
            self._hold(body)
        except Exception as error:  # noqa: BLE001  answered as what it is
            self.fail(error)
            return
        if status not in BODILESS:
            headers |= (JSON,)
        headers["x-correlation-id"] = self.context.trace_id
        self._send(status, [*headers.items()], body, None)

    def _hold(self, body: bytes) -> None:
        """Charge a large answer; without memory, only one that changed nothing is refused."""
        try:
            self._held.answers(len(body))
        except Problem:
            if self._method in READING:
                raise

    def _send(
        self, status: int, headers: list[tuple[str, str]], body: bytes, problem: str | None
    ) -> None:
        unread = self._held.release(but=len(body) if len(body) > SMALL else 0)
        super()._send(status, headers, body, problem)
        if unread:
            self._shared.answers.sent(address(self._client), unread)
