"""Spans for sampled requests and for the batches that carried them, by the OpenTelemetry SDK.

The SDK is imported only when spans are exported; a request that is not sampled makes no span.
Attributes follow the semantic conventions for HTTP and for databases.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from orders import __version__
from orders.telemetry import caller
from orders.telemetry.context import TraceContext
from orders.telemetry.metrics import METHODS, OTHER_METHOD, SERVER_ERROR, UNMATCHED
from orders.telemetry.redaction import redacted
from orders.telemetry.sampling import sampler

if TYPE_CHECKING:
    from orders.config import Config
    from orders.telemetry.spans import Spans

_SHOWN: Final = 256
"""Characters of a caller's text that a span repeats; thousands of spans may wait for export."""
_VERBS: Final = {"insert": "INSERT", "insert_many": "INSERT", "select": "SELECT", "list": "SELECT"}


class Tracing:
    """Makes spans, if there is somewhere to send them."""

    def __init__(
        self,
        spans: "Spans | None" = None,
        sample: Callable[[int, bool | None], bool] = lambda _, __: False,
        *,
        namespace: str = "",
    ) -> None:
        """
        Keep what makes the spans.

        Args:
            spans: None exports nothing.
            sample: decides by trace id and parent.
            namespace: the database's name, for the batches' spans.

        """
        self.exporting = spans is not None
        self.sampled = sample
        self._operations = {name: _operation(verb, namespace) for name, verb in _VERBS.items()}
        if spans is not None:
            self._spans = spans

    @classmethod
    def from_config(cls, config: "Config") -> "Tracing":
        """Export as configured; without an exporter nothing of the SDK is imported.

        Raises:
            ConfigError: a variable that the SDK itself reads is wrong.

        """
        tracing = config.tracing
        if tracing.exporter == "none":
            return cls()
        from orders.telemetry.exporting import spans  # noqa: PLC0415  a tenth of a second

        return cls(
            spans(tracing, __version__),
            sampler(tracing.sampler, tracing.ratio),
            namespace="" if config.database is None else config.database.name,
        )

    def request(  # noqa: PLR0913  one fact each
        self,
        context: TraceContext,
        method: str,
        route: str,
        path: str,
        status: int,
        seconds: float,
        problem: str | None,
    ) -> None:
        """Make the span of a sampled request that ends now.

        Its name has nothing that a caller can choose (Semantic Conventions for HTTP Spans).
        """
        headers = context.headers
        client, peer = caller.client(context.connection, caller.forwarded(headers))
        attributes: dict[str, Any] = {
            "http.request.method": method,
            "http.response.status_code": status,
            "url.path": path[:_SHOWN],
            "url.scheme": caller.scheme(headers),
            "client.address": client,
        }
        name = method
        if method not in METHODS:
            name = "HTTP"
            attributes["http.request.method"] = OTHER_METHOD
            attributes["http.request.method_original"] = method[:_SHOWN]
        if route != UNMATCHED:
            name = f"{name} {route}"
            attributes["http.route"] = route
        if context.query:
            attributes["url.query"] = redacted(context.query)[:_SHOWN]
        if client != peer:
            attributes["network.peer.address"] = peer
        if (agent := headers.get("user-agent")) is not None:
            attributes["user_agent.original"] = agent[:_SHOWN]
        if problem is not None:
            attributes["orders.problem"] = problem
        failed = status >= SERVER_ERROR
        if failed:
            attributes["error.type"] = problem or str(status)
        self._spans.server(context, name, attributes, seconds, failed=failed)

    def batch(
        self,
        operation: str,
        size: int,
        seconds: float,
        error: str | None,
        requests: Sequence[TraceContext],
    ) -> None:
        """Make the spans of a batch that ends now, for the sampled requests in it."""
        shared = self._operations[operation]
        if error is not None:
            shared = {**shared, "error.type": error}
        attributes = {**shared, "db.operation.batch.size": size} if size > 1 else shared
        name = shared["db.query.summary"]
        self._spans.batch(name, attributes, shared, requests, seconds, failed=error is not None)

    def shutdown(self) -> None:
        """Send what is left, for three seconds at most."""
        if self.exporting:
            self._spans.flush()


def _operation(verb: str, namespace: str) -> dict[str, Any]:
    return {
        "db.system.name": "postgresql",
        "db.namespace": namespace,
        "db.operation.name": verb,
        "db.collection.name": "orders",
        "db.query.summary": f"{verb} orders",
    }
