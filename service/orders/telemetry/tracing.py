"""Spans for sampled requests and for the batches that carried them, by the OpenTelemetry SDK.

The SDK is imported only when spans are exported; a request that is not sampled makes no span. A
batch serves many requests, so its span is the child of none and links to each (OpenTelemetry's
way for batches); attributes follow the semantic conventions for HTTP and for databases.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from orders import __version__
from orders.telemetry.context import TraceContext
from orders.telemetry.metrics import METHODS, OTHER_METHOD, UNMATCHED
from orders.telemetry.sampling import sampler

if TYPE_CHECKING:
    from orders.config import Config
    from orders.telemetry.spans import Spans

_VERBS: Final = {"insert": "INSERT", "insert_many": "INSERT", "select": "SELECT", "list": "SELECT"}
_SERVER_ERROR: Final = 500


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
        self._namespace = namespace
        if spans is not None:
            self._spans = spans

    @classmethod
    def from_config(cls, config: "Config") -> "Tracing":
        """Export as configured; without an exporter nothing of the SDK is imported."""
        tracing = config.tracing
        if tracing.exporter == "none":
            return cls()
        from orders.telemetry.exporting import spans  # noqa: PLC0415  a tenth of a second

        return cls(
            spans(tracing, config.service_name, __version__),
            sampler(tracing.sampler, tracing.ratio),
            namespace="" if config.database is None else config.database.name,
        )

    def start_server_span(self, context: TraceContext, method: str, route: str, path: str) -> None:
        """Give a sampled request its span, with the ids that it already has.

        Its name has nothing that a caller can choose (Semantic Conventions for HTTP Spans).
        """
        attributes = {"http.request.method": method, "url.path": path, "url.scheme": "http"}
        name = method
        if method not in METHODS:
            name = "HTTP"
            attributes["http.request.method"] = OTHER_METHOD
            attributes["http.request.method_original"] = method
        if route != UNMATCHED:
            name = f"{name} {route}"
            attributes["http.route"] = route
        context.span = self._spans.server(context, name, attributes)

    def end_server_span(self, context: TraceContext, status: int, problem: str | None) -> None:
        """End a request's span with what was answered."""
        span = context.span
        span.set_attribute("http.response.status_code", status)
        if problem is not None:
            span.set_attribute("error.type", problem)
        if status >= _SERVER_ERROR:
            self._spans.fail(span, problem or str(status))
        span.end()

    @contextmanager
    def batch_span(
        self, operation: str, size: int, links: Sequence[TraceContext]
    ) -> Iterator[None]:
        """Record a batch on the database, linked to the sampled requests in it."""
        verb = _VERBS[operation]
        attributes: dict[str, Any] = {
            "db.system.name": "postgresql",
            "db.namespace": self._namespace,
            "db.operation.name": verb,
            "db.collection.name": "orders",
            "db.query.summary": f"{verb} orders",
        }
        if size > 1:
            attributes["db.operation.batch.size"] = size
        span = self._spans.batch(f"{verb} orders", attributes, links)
        try:
            yield
        except Exception as error:
            name = getattr(error, "name", type(error).__name__)  # the metric's word for it
            span.set_attribute("error.type", name)
            self._spans.fail(span, name)
            raise
        finally:
            span.end()

    def shutdown(self) -> None:
        """Send what is left, for three seconds at most."""
        if self.exporting:
            self._spans.flush()
