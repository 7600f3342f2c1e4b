"""The second port: metrics and health, so that the API's port can be published without them."""

from typing import TYPE_CHECKING

from orders.http.asgi import Headers, Receive, Scope, Send, correlated, respond

if TYPE_CHECKING:
    from orders.http.health import Health
    from orders.telemetry.metrics import Metrics


class MetricsPort:
    """The ASGI application of the metrics port."""

    def __init__(self, metrics: "Metrics", health: "Health") -> None:
        """Keep what is exposed."""
        self._metrics = metrics
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer a scrape or a probe."""
        path = scope["path"]
        headers: Headers
        if scope["method"] not in {"GET", "HEAD"}:
            status, headers, body = 405, [(b"allow", b"GET, HEAD")], b""
        elif path == "/metrics":
            accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
            content_type, body = self._metrics.expose(accept)
            status, headers = 200, [(b"content-type", content_type.encode())]
        elif self._health.answers(path):
            status, headers, body = await self._health.answer(path, scope["query_string"])
        else:
            status, headers, body = 404, [], b""
        await respond(send, status, correlated(headers, scope), body)
