"""The operator's metrics, for Prometheus."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder

from orders_operator.objects import Key
from orders_operator.telemetry.resources import Resources

_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The registry of one process."""

    def __init__(self, version: str) -> None:
        """Declare everything, so that rates are 0 and not absent before the first event."""
        registry = self._registry = CollectorRegistry(auto_describe=False)
        self.reconciles = Counter(
            "orders_operator_reconciles",
            "Reconciles that ended, by result: success, error, or requeued.",
            ("result",),
            registry=registry,
        )
        self.errors = Counter(
            "orders_operator_errors",
            "Reconciles that could not do everything, by reason.",
            ("reason",),
            registry=registry,
        )
        self.duration = Histogram(
            "orders_operator_reconcile_duration_seconds",
            "How long a reconcile took.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self.changes = Counter(
            "orders_operator_changes",
            "Children created, changed (drift included) or deleted, by kind.",
            ("kind", "action"),
            registry=registry,
        )
        self.events = Counter(
            "orders_operator_watch_events",
            "Watch events that concern an OrderService, by kind.",
            ("kind",),
            registry=registry,
        )
        self.watch_restarts = Counter(
            "orders_operator_watch_restarts",
            "How often all watches were restarted.",
            registry=registry,
        )
        self._depth = Gauge(
            "orders_operator_queue_depth",
            "OrderServices that wait to be reconciled.",
            registry=registry,
        )
        self._failing = Gauge(
            "orders_operator_queue_failing",
            "Resources whose last reconcile failed and that wait to be tried again.",
            registry=registry,
        )
        self._leader = Gauge(
            "orders_operator_leader", "1 while this process leads, else 0.", registry=registry
        )
        self._conflict = Gauge(
            "orders_operator_conflict",
            "1 for each Lease that this release needs and another one holds.",
            ("lease", "holder"),
            registry=registry,
        )
        self._resources = Resources()
        registry.register(self._resources)
        build = Gauge(
            "orders_operator_build_info", "1, with the version.", ("version",), registry=registry
        )
        build.labels(version).set(1)
        for result in ("success", "error", "requeued"):
            self.reconciles.labels(result)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._conflicts: dict[str, str] = {}

    def watch_queue(self, depth: Callable[[], float], failing: Callable[[], float]) -> None:
        """Read the queue at each scrape."""
        self._depth.set_function(depth)
        self._failing.set_function(failing)

    def watch_leader(self, leading: Callable[[], bool]) -> None:
        """Read at each scrape whether this process works."""
        self._leader.set_function(lambda: float(leading()))

    def conflicts(self, holders: Mapping[str, str]) -> None:
        """Set the Leases that another release holds, its holder by Lease."""
        for lease, holder in self._conflicts.items() - holders.items():
            self._conflict.remove(lease, holder)
        for lease, holder in holders.items():
            self._conflict.labels(lease, holder).set(1)
        self._conflicts = dict(holders)

    def conditions(self, key: Key, statuses: Mapping[str, str]) -> None:
        """Set the conditions of a resource, status by type."""
        self._resources.conditions(key, statuses)

    def rollout(self, key: Key, status: Mapping[str, Any]) -> None:
        """Set the phase of a resource's rollout, and the last verdict, from `status.rollout`."""
        self._resources.rollout(key, status)

    def forget(self, key: Key) -> None:
        """Remove the series of a resource that is gone."""
        self._resources.forget(key)

    def knows(self, key: Key) -> bool:
        """Whether a resource has series."""
        return self._resources.knows(key)

    def keys(self) -> frozenset[Key]:
        """Return the resources that have series."""
        return self._resources.keys()

    def expose(self, accept: str) -> tuple[str, bytes]:
        """Return content type and body of a scrape."""
        encode, content_type = choose_encoder(accept)
        return content_type, encode(self._registry)
