"""Histograms and counters as plain numbers, for the hot path.

prometheus_client takes a lock and walks objects for every observation; here one is a bisection and
three additions. A scrape turns them into its metric families (see `exposition`).
"""

import time
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Exemplar(NamedTuple):
    """A trace that was seen in a bucket; `at` is in seconds since 1970."""

    trace_id: str
    value: float
    at: float


class Histogram:
    """Counts by bucket of one time series."""

    __slots__ = ("_bounds", "counts", "exemplars", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """Start empty; `bounds` are upper bounds, inclusive, without infinity."""
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self.exemplars: dict[int, Exemplar] = {}

    def observe(self, value: float, trace_id: str | None = None) -> None:
        """Count one value; with a trace id it becomes the bucket's exemplar."""
        bucket = bisect_left(self._bounds, value)
        self.counts[bucket] += 1
        self.total += value
        if trace_id is not None:
            self.exemplars[bucket] = Exemplar(trace_id, value, time.time())

    def cumulative(self) -> Iterable[tuple[str, int, Exemplar | None]]:
        """Yield (upper bound, count up to it, exemplar)."""
        running = 0
        for index, count in enumerate(self.counts):
            running += count
            bound = str(float(self._bounds[index])) if index < len(self._bounds) else "+Inf"
            yield bound, running, self.exemplars.get(index)


class Family:
    """A histogram by label values."""

    def __init__(
        self, name: str, help_text: str, labels: Sequence[str], bounds: Sequence[float]
    ) -> None:
        """Declare it: `name` with its unit, what it means, its labels and buckets."""
        self.name = name
        self.help = help_text
        self.labels = labels
        self.bounds = bounds
        self.children: dict[tuple[str, ...], Histogram] = {}

    def child(self, *values: str) -> Histogram:
        """Return the series with these label values."""
        series = self.children.get(values)
        if series is None:
            series = self.children[values] = Histogram(self.bounds)
        return series
