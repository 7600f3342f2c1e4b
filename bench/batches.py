"""How many calls shared a batch, as the service's own metrics say, over several processes."""

import math
import urllib.request
from collections import defaultdict
from collections.abc import Iterable
from typing import Self

from prometheus_client.parser import text_string_to_metric_families

from bench.process import Running


class Batches:
    """The histogram `orders_batch_size` of one operation, added up."""

    def __init__(self, texts: Iterable[str], operation: str) -> None:
        """`texts` are what metrics ports answered, in Prometheus' format."""
        self._parts = {"sum": 0.0, "count": 0.0}
        self._buckets: defaultdict[float, float] = defaultdict(float)
        samples = (
            sample
            for text in texts
            for family in text_string_to_metric_families(text)
            if family.name == "orders_batch_size"
            for sample in family.samples
            if sample.labels["operation"] == operation
        )
        for sample in samples:
            part = sample.name.rpartition("_")[2]
            if part == "bucket":
                self._buckets[float(sample.labels["le"])] += sample.value
            else:
                self._parts[part] += sample.value

    @classmethod
    def of(cls, running: list[Running], operation: str) -> Self:
        """Ask every process."""
        texts = []
        for each in running:
            with urllib.request.urlopen(f"http://127.0.0.1:{each.metrics_port}/metrics") as answer:
                texts.append(answer.read().decode())
        return cls(texts, operation)

    @property
    def mean(self) -> float:
        """Calls in a batch on average, 0 without a batch."""
        return self._parts["sum"] / self._parts["count"] if self._parts["count"] else 0.0

    def quantile(self, share: float) -> float | None:
        """Return the bound of the first bucket that has so large a share of the batches below it.

        None without a batch, and where that is in the bucket without a bound.
        """
        for bound in sorted(self._buckets):
            if self._parts["count"] and self._buckets[bound] >= share * self._parts["count"]:
                return bound if math.isfinite(bound) else None
        return None
