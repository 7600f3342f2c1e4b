"""The second port: metrics and health, so that the API's port can be published without them."""

from typing import TYPE_CHECKING, Final

from orders.errors import Problem
from orders.http.asgi import Receive, Scope, Send, correlated, respond
from orders.http.head import refusal
from orders.http.negotiation import joined
from orders.http.problems import READING, nothing_there, only_reading, unrecorded

if TYPE_CHECKING:
    from orders.auth.metrics_gate import MetricsGate
    from orders.http.health import Health
    from orders.telemetry.metrics import Metrics

_PATHS: Final = frozenset(("/metrics", "*"))
"""OPTIONS may ask about the asterisk: the server as a whole."""


class MetricsPort:
    """The ASGI application of the metrics port."""

    def __init__(
        self, metrics: "Metrics", health: "Health", gate: "MetricsGate | None" = None
    ) -> None:
        """Keep what to expose; a gate restricts the metrics, while probes stay open to all."""
        self._metrics = metrics
        self._health = health
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer a scrape or a probe."""
        problem = None
        if self._gate is not None and not self._health.answers(scope["path"]):
            problem = _unwelcome(self._gate, scope)
        problem = problem or refusal(scope)
        if problem is not None:
            status, headers, body = unrecorded(problem, scope)
        elif self._health.answers(scope["path"]):
            status, headers, body = await self._health.answer(scope)
        elif scope["path"] not in _PATHS:
            status, headers, body = nothing_there(scope)
        elif scope["method"] not in READING:
            status, headers, body = only_reading(scope)
        else:
            await self._health.look()  # updates the schema's version, even if no probe asks
            accept = dict(joined(scope["headers"])).get(b"accept", b"").decode("latin-1")
            content_type, body = self._metrics.expose(accept)
            status, headers = 200, correlated([(b"content-type", content_type.encode())], scope)
        await respond(send, status, headers, body)


def _unwelcome(gate: "MetricsGate", scope: Scope) -> Problem | None:
    """Return why the caller is refused, or None."""
    headers = {name.decode("latin-1"): v.decode("latin-1") for name, v in joined(scope["headers"])}
    try:
        gate.admit(headers)
    except Problem as problem:
        return problem
    return None
