"""The operator under test: a reconciler with a client of its own, in a time of the tests' own."""

from datetime import UTC, datetime, timedelta
from typing import Final
from unittest.mock import patch

from orders_operator.reconcile.analysis import Windows
from orders_operator.reconcile.discovery import Apis
from orders_operator.reconcile.index import Index
from orders_operator.reconcile.reconcile import Reconciler
from orders_operator.resources.kinds import KINDS
from orders_operator.telemetry.metrics import Metrics
from orders_operator.telemetry.tracing import Tracing
from tests.helpers.apiserver.recording_client import Recording

_TICK: Final = 1e-6


class Clock:
    """The operator's time, which goes on when a test says so, and never says the same twice."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        self._gone = 0.0

    def now(self) -> datetime:
        """Return the time of day."""
        self._gone += _TICK
        return self._began + timedelta(seconds=self._gone)

    def monotonic(self) -> float:
        """Return the seconds since the beginning."""
        return self._gone

    def wait(self, seconds: float) -> None:
        """Have it be later."""
        self._gone += seconds


class Operator:
    """A reconciler with a client of its own, and what it keeps in memory."""

    def __init__(self, clock: Clock, instance: str = "operator-1") -> None:
        self.kube = Recording.connect()
        self.metrics = Metrics("test")
        self.index = Index()
        apis = Apis(self.kube, KINDS)
        # The windows of a canary go by a clock that nobody can set.
        with patch.object(Windows.__init__, "__defaults__", (clock.monotonic,)):
            self.reconcile = Reconciler(
                self.kube,
                KINDS,
                apis,
                self.index,
                self.metrics,
                Tracing(),
                instance=instance,
                now=clock.now,
            )
