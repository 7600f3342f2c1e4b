"""Turns the numbers into Prometheus text or OpenMetrics, by prometheus_client.

Imported at the first scrape. The process' own metrics (CPU, memory, file descriptors) are
prometheus_client's.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from orders.telemetry.declarations import DECLARED
from orders.telemetry.formats import chosen

if TYPE_CHECKING:
    from orders.telemetry.histogram import Family
    from orders.telemetry.metrics import Metrics


class _Numbers(Collector):
    def __init__(self, metrics: "Metrics") -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        metrics = self._metrics
        for family in metrics.histograms:
            yield _histogram(family)
        for name, counts in metrics.counters.items():
            declared = DECLARED[name]
            counter = CounterMetricFamily(name, declared.help, labels=declared.labels)
            for values, count in counts.items():
                counter.add_metric(values, count)
            yield counter
        for name, read in metrics.gauges.items():
            declared = DECLARED[name]
            gauge = GaugeMetricFamily(name, declared.help, labels=declared.labels)
            for values, value in read().items():
                gauge.add_metric(values, value)
            yield gauge


class Exposition:
    """The registry of one process."""

    def __init__(self, metrics: "Metrics") -> None:
        """Collect our numbers, the process' and the interpreter's."""
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Numbers(metrics))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    def render(self, accept: str) -> tuple[str, bytes]:
        """Return content type and body."""
        encode, content_type = chosen(accept)
        return content_type, encode(self._registry)


def _histogram(family: "Family") -> Metric:
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    for values, series in family.children.items():
        buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
        for bound, count, exemplar in series.cumulative():
            if exemplar is None:
                buckets.append((bound, count))
            else:
                seen = Exemplar({"trace_id": exemplar.trace_id}, exemplar.value, exemplar.at)
                buckets.append((bound, count, seen))
        metric.add_metric(values, buckets, series.total)
    return metric
