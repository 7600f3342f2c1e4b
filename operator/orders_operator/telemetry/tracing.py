"""One span for each reconcile; the OpenTelemetry SDK is imported only if spans are exported."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orders_operator.telemetry.context import current, fresh

if TYPE_CHECKING:
    from orders_common.tracing import TracingConfig
    from orders_operator.telemetry.spans import Spans


class Tracing:
    """Gives each reconcile its ids, and a span if there is somewhere to send it."""

    def __init__(self, spans: "Spans | None" = None) -> None:
        """Export through `spans`; None exports nothing."""
        self._spans = spans

    @classmethod
    def configured(cls, settings: "TracingConfig", version: str) -> "Tracing":
        """Return a tracing with the configured exporter."""
        if settings.exporter == "none":
            return cls()
        from orders_operator.telemetry.spans import Spans  # noqa: PLC0415  15 MB

        return cls(Spans(settings, version))

    @contextmanager
    def reconcile(self, namespace: str, name: str) -> Iterator[None]:
        """Record the reconcile of one OrderService; an error that leaves it marks the span."""
        if self._spans is None:
            token = current.set(fresh(namespace, name))
            try:
                yield
            finally:
                current.reset(token)
            return
        with self._spans.reconcile(namespace, name) as context:
            token = current.set(context)
            try:
                yield
            finally:
                current.reset(token)

    def shutdown(self) -> None:
        """Send the remaining spans, for two seconds at most."""
        if self._spans is not None:
            self._spans.flush()
