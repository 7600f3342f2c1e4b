"""Spans for sampled requests and for the batches that carried them, by the OpenTelemetry SDK.

The SDK is imported only when spans are exported; a request that is not sampled makes no span.
Attributes follow the semantic conventions for HTTP and for databases.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from orders import __version__
from orders.telemetry import caller
from orders.telemetry.context import TraceContext
from orders.telemetry.declarations import METHODS, OTHER_METHOD, SERVER_ERROR, UNMATCHED
from orders.telemetry.formatters import SHOWN, Remembered, is_id, shown
from orders.telemetry.redaction import redacted
from orders.telemetry.sampling import Sampler, sampler
from orders_common.masking import Mask, masked

if TYPE_CHECKING:
    from orders.config import Config
    from orders.telemetry.spans import Spans

_VERSIONS: Final = {"1": "1.0"}
"""What the conventions call versions of HTTP that the server calls otherwise."""
_POSTGRESQL: Final = 5432
"""The default port, which is left out."""
_VERBS: Final = {"insert": "INSERT", "insert_many": "INSERT", "select": "SELECT", "list": "SELECT"}


class Tracing:
    """Makes spans, if an exporter is configured."""

    def __init__(
        self,
        spans: "Spans | None" = None,
        sample: Sampler = lambda _, __: False,
        *,
        namespace: str = "",
        mask: Mask = masked,
    ) -> None:
        """Keep what makes the spans.

        Args:
            spans: None exports nothing.
            sample: decides by trace id and parent.
            namespace: the database's name, for the batches' spans.
            mask: keeps secrets out of what callers choose.

        """
        self.exporting = spans is not None
        self.sampled = sample
        self._mask = mask
        self._agents = Remembered(lambda agent: shown(agent, SHOWN, mask))
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
            mask=config.secrets().masked,
        )

    def request(  # noqa: PLR0913  one fact each
        self,
        context: TraceContext,
        method: str,
        route: str,
        path: str,
        status: int,
        started: float,
        seconds: float,
        problem: str | None,
        *,
        proxied: str | None,
        scheme: str,
    ) -> None:
        """Make the span of a sampled request that has ended.

        `started` is of perf_counter(). `proxied` and `scheme` are what `caller` found in its
        headers. The span's name has nothing that a caller can choose (Semantic Conventions for
        HTTP Spans).
        """
        headers = context.headers
        client, peer = caller.client(context.connection, proxied)
        server = caller.server(headers)
        attributes: dict[str, Any] = {
            "http.request.method": method,
            "http.response.status_code": status,
            "url.path": path if path == route or is_id(path) else self._shown(path),
            "url.scheme": scheme,
            "client.address": client,
            "network.peer.address": peer,
            "network.peer.port": caller.port(context.connection),
            "network.protocol.version": _VERSIONS.get(context.version, context.version),
        }
        name = method
        if method not in METHODS:
            name = "HTTP"
            attributes["http.request.method"] = OTHER_METHOD
            attributes["http.request.method_original"] = method[:SHOWN]
        if route != UNMATCHED:
            name = f"{name} {route}"
            attributes["http.route"] = route
        if context.query:
            attributes["url.query"] = redacted(self._shown(context.query))
        if server is not None:
            attributes.update(_place(*server))
        if (agent := headers.get("user-agent")) is not None:
            attributes["user_agent.original"] = self._agents[agent]
        if context.subject:
            attributes["enduser.id"] = context.subject
        if problem is not None:
            attributes["orders.problem"] = problem
        failed = status >= SERVER_ERROR
        if failed:
            attributes["error.type"] = problem or str(status)
        self._spans.server(context, name, attributes, started, seconds, failed=failed)

    def batch(  # noqa: PLR0913  one fact each
        self,
        operation: str,
        size: int,
        started: float,
        seconds: float,
        error: str | None,
        requests: Sequence[TraceContext],
        server: tuple[str, int] | None,
    ) -> None:
        """Make the spans of a batch that has ended, for the sampled requests in it.

        `started` is of perf_counter(). `server` is the database's host, and its port; None if the
        batch was sent to none.
        """
        shared = self._operations[operation]
        if server is not None:
            host, port = server
            shared = {**shared, **_place(host, None if port == _POSTGRESQL else port)}
        if error is not None:
            shared = {**shared, "error.type": error}
        attributes = {**shared, "db.operation.batch.size": size} if size > 1 else shared
        name = shared["db.query.summary"]
        self._spans.batch(
            name, attributes, shared, requests, started, seconds, failed=error is not None
        )

    def _shown(self, told: str) -> str:
        """Return what a span shows of a path, or of a query: so many bytes as it waits.

        One character beyond ASCII makes each of them four bytes, and thousands of spans may wait.
        """
        return shown(told, SHOWN if told.isascii() else SHOWN // 4, self._mask)

    def shutdown(self) -> None:
        """Send what is left, for three seconds at most."""
        if self.exporting:
            self._spans.flush()


def _place(host: str, port: int | None) -> dict[str, Any]:
    found: dict[str, Any] = {"server.address": host}
    if port is not None:
        found["server.port"] = port
    return found


def _operation(verb: str, namespace: str) -> dict[str, Any]:
    return {
        "db.system.name": "postgresql",
        "db.namespace": namespace,
        "db.operation.name": verb,
        "db.collection.name": "orders",
        "db.query.summary": f"{verb} orders",
    }
