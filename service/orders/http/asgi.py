"""The shapes of ASGI, and an answer sent whole."""

from collections.abc import Awaitable, Callable
from typing import Any

from orders.telemetry.context import continued, fresh

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


async def respond(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Send an answer."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def correlated(headers: Headers, scope: Scope) -> Headers:
    """Add X-Correlation-ID to the headers of an answer that nothing else records."""
    traceparent = dict(scope["headers"]).get(b"traceparent")
    context = fresh() if traceparent is None else continued(traceparent, b"")
    return [*headers, (b"x-correlation-id", context.trace_id.encode())]
