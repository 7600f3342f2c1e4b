"""Counts the outcomes of requests, second by second; memory does not grow with their number.

A second is summed up once all its requests have ended; until then it keeps a histogram.
"""

from collections import Counter
from datetime import datetime
from typing import Final

from orders_operator.load.histogram import Histogram
from orders_operator.load.ledger import Ledger
from orders_operator.load.report import FailedTry, Latency, Report, Second, Watched
from orders_operator.load.settings import LoadSettings

_KEPT: Final = 50
_LATE_SECONDS: Final = 0.05


class _Running:
    """A second that may have requests in flight."""

    __slots__ = ("failed", "latency", "refused")

    def __init__(self) -> None:
        self.latency = Histogram()
        self.failed = 0
        self.refused = 0


class Tally:
    """The outcomes of requests; times are seconds since the start."""

    def __init__(self, settings: LoadSettings, ledger: Ledger) -> None:
        """Start at 0; a report also has data from the settings and the ledger."""
        self._settings = settings
        self._ledger = ledger
        self._latency = Histogram()
        self._refusal_latency = Histogram()
        self._failed = 0
        self._refused = 0
        self._retried = 0
        self._late = 0
        self._statuses: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._failures: list[FailedTry] = []
        self._retries: list[FailedTry] = []
        self._running: dict[int, _Running] = {}
        self._ended: list[Second] = []

    def started(self, late: float) -> None:
        """Count a request that started so many seconds after it was due."""
        self._late += late > _LATE_SECONDS

    def answered(self, status: int) -> None:
        """Count the answer to a try."""
        self._statuses[str(status)] += 1

    def unavailable(self, seconds: float) -> None:
        """Count how long a 503 took."""
        self._refusal_latency.observe(seconds)

    def erred(self, what: str) -> None:
        """Count a try without an answer, or with a wrong one."""
        self._errors[what] += 1

    def retried(self, failure: FailedTry) -> None:
        """Count a try that is followed by another."""
        self._retried += 1
        if len(self._retries) < _KEPT:
            self._retries.append(failure)

    def succeeded(self, due: float, seconds: float) -> None:
        """Count a request that was due then and took so long."""
        self._latency.observe(seconds)
        self._second(due).latency.observe(seconds)

    def failed(self, due: float, failure: FailedTry, *, refused: bool) -> None:
        """Count a request that was due then and failed for good."""
        second = self._second(due)
        second.failed += 1
        second.refused += refused
        self._failed += 1
        self._refused += refused
        if len(self._failures) < _KEPT:
            self._failures.append(failure)

    def sum_up(self, before: float) -> None:
        """Sum up the seconds before this time, when all requests that were due then have ended."""
        for at in sorted(self._running):
            if at + 1 > before:
                break
            self._ended.append(_summed_up(at, self._running.pop(at)))

    def report(
        self, started_at: datetime, ended_at: datetime | None, watched: dict[str, Watched]
    ) -> Report:
        """Return the report so far."""
        running = [_summed_up(at, self._running[at]) for at in sorted(self._running)]
        return Report(
            started_at=started_at,
            ended_at=ended_at,
            url=self._settings.url,
            rate=self._settings.rate,
            requests=self._latency.count + self._failed,
            succeeded=self._latency.count,
            failed=self._failed,
            refused=self._refused,
            retried=self._retried,
            acknowledged=len(self._ledger),
            unknown=self._ledger.unknown,
            late=self._late,
            statuses=dict(self._statuses),
            errors=dict(self._errors),
            latency=_percentiles(self._latency),
            refusal_latency=_percentiles(self._refusal_latency),
            seconds=self._ended + running,
            failures=self._failures[:],
            retries=self._retries[:],
            watched=watched,
        )

    def _second(self, due: float) -> _Running:
        second = self._running.get(int(due))
        if second is None:
            second = self._running[int(due)] = _Running()
        return second


def _summed_up(at: int, second: _Running) -> Second:
    latency = second.latency
    return Second(
        at=at,
        requests=latency.count + second.failed,
        failed=second.failed,
        refused=second.refused,
        p50=latency.quantile(0.5),
        p99=latency.quantile(0.99),
        max=latency.max,
    )


def _percentiles(latency: Histogram) -> Latency:
    return Latency(
        p50=latency.quantile(0.5),
        p90=latency.quantile(0.9),
        p99=latency.quantile(0.99),
        max=latency.max,
        count=latency.count,
    )
