"""The types of ASGI, a function that sends a whole answer, and headers that answers get."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from orders.telemetry.context import continued, fresh

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_CLOSE: Final = (b"connection", b"close")


async def respond(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Send an answer."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def correlated(headers: Headers, scope: Scope) -> Headers:
    """Add X-Correlation-ID to the headers of an answer that is not recorded otherwise."""
    traceparent = dict(scope["headers"]).get(b"traceparent")
    context = fresh() if traceparent is None else continued(traceparent.decode("latin-1"), "")
    return [*headers, (b"x-correlation-id", context.trace_id.encode())]


def closing(headers: Headers) -> Headers:
    """Add the header that makes an answer the last one on its connection."""
    return headers if _CLOSE in headers else [*headers, _CLOSE]
