"""The series of each OrderService: its conditions, and the state of its rollout.

They are many, and each would be an object with its own lock, so a scrape makes them one after the
other from what is kept. They disappear when their resource is deleted, so that an alert on them
cannot outlive it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from orders_operator.objects import Key

STATUSES: Final = ("True", "False", "Unknown")

_ROLLOUT: Final = (
    (
        "phase",
        "orders_operator_rollout",
        "1, with the phase that the rollout of each OrderService is in.",
    ),
    (
        "verdict",
        "orders_operator_analysis",
        "1, with the verdict of the last window of each rollout that is being analysed.",
    ),
)
"""A label, the metric that has it, and its meaning."""


class Resources(Collector):
    """Collects the series of each OrderService."""

    def __init__(self) -> None:
        self._conditions: dict[Key, Mapping[str, str]] = {}
        self._rollouts: dict[Key, Mapping[str, str]] = {}

    def conditions(self, key: Key, statuses: Mapping[str, str]) -> None:
        """Set the conditions of a resource, status by type."""
        self._conditions[key] = dict(statuses)

    def rollout(self, key: Key, status: Mapping[str, Any]) -> None:
        """Set the phase of a resource's rollout, and the last verdict, from `status.rollout`."""
        words = (status.get("phase"), (status.get("analysis") or {}).get("verdict"))
        self._rollouts[key] = {
            label: word for (label, _, _), word in zip(_ROLLOUT, words, strict=True) if word
        }

    def forget(self, key: Key) -> None:
        """Forget a resource that is gone."""
        self._rollouts.pop(key, None)
        self._conditions.pop(key, None)

    def knows(self, key: Key) -> bool:
        """Whether the conditions of a resource are known."""
        return key in self._conditions

    def keys(self) -> frozenset[Key]:
        """Return the resources whose conditions are known."""
        return frozenset(self._conditions)

    def collect(self) -> Iterable[Metric]:
        """Return the metrics, whose series are made as they are written."""
        yield _family(
            "orders_operator_condition",
            "Conditions of each OrderService: 1 for the status that is in force, else 0.",
            self._condition_samples,
        )
        for label, name, meaning in _ROLLOUT:
            yield _family(name, meaning, partial(self._rollout_samples, label, name))

    def _condition_samples(self) -> Iterator[Sample]:
        for (namespace, name), statuses in self._conditions.items():
            for kind, status in statuses.items():
                for possible in STATUSES:
                    labels = {"namespace": namespace, "name": name, "type": kind}
                    labels["status"] = possible
                    yield Sample("orders_operator_condition", labels, float(possible == status))

    def _rollout_samples(self, label: str, metric: str) -> Iterator[Sample]:
        for (namespace, name), words in self._rollouts.items():
            if label in words:
                labels = {"namespace": namespace, "name": name, label: words[label]}
                yield Sample(metric, labels, 1.0)


class _Samples:
    """Samples that are made anew at each iteration."""

    def __init__(self, make: Callable[[], Iterator[Sample]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Sample]:
        return self._make()


def _family(name: str, meaning: str, make: Callable[[], Iterator[Sample]]) -> Metric:
    family = GaugeMetricFamily(name, meaning)
    samples: Any = _Samples(make)
    family.samples = samples
    return family
