"""The pods' counters, and the difference between two readings of them. Pure.

Counters and histograms only grow, so the difference of two readings is what happened between them.
Anything that cannot be such a reading is refused with a reason: a value that is not a number, a
histogram that does not add up, metrics without the one that is needed.
"""

from collections.abc import Iterable, Mapping
from math import inf, isfinite
from typing import Final

from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

REQUESTS: Final = "http_server_request_duration_seconds"
"""The metric of OpenTelemetry's semantic conventions, in Prometheus' spelling and units."""
STATUS: Final = "http_response_status_code"
PROCESS: Final = "process_start_time_seconds"
"""Identifies the process that counts: after a restart it is another, with other counters."""
_SERVER_ERROR: Final = 500
_P99: Final = 0.99

Buckets = dict[float, float]
"""Requests that took at most so many seconds, by the upper bounds; cumulative."""


class Counts(Struct, frozen=True):
    """Requests of one pod or of several, since their start or in a window.

    `buckets` leaves out those that were answered 5xx.
    """

    requests: float = 0
    errors: float = 0
    buckets: Buckets = {}

    @property
    def error_ratio(self) -> float:
        """Return the share of requests that was answered 5xx, from 0 to 1."""
        return self.errors / self.requests if self.requests else 0.0

    @property
    def p99(self) -> float | None:
        """Return the seconds that 99 of 100 requests took at most; None without any.

        It is infinite if it lies beyond the last finite bound.
        """
        return quantile(_P99, self.buckets)

    @property
    def last_bound(self) -> float:
        """Return the last finite bound of the buckets; 0 without any."""
        return max((bound for bound in self.buckets if bound != inf), default=0.0)

    def since(self, earlier: "Counts") -> "Counts | None":
        """Return what was added; None if a counter fell, as after a restart."""
        bounds = [*self.buckets, *(le for le in earlier.buckets if le not in self.buckets)]
        buckets = {le: self.buckets.get(le, 0) - earlier.buckets.get(le, 0) for le in bounds}
        requests, errors = self.requests - earlier.requests, self.errors - earlier.errors
        if min(requests, errors, *buckets.values(), 0) < 0:
            return None
        return Counts(requests, errors, buckets)


class Reading(Struct, frozen=True):
    """What a process has counted since its start.

    Args:
        counts: its numbers.
        process: when the process began, by its own metric (seconds since 1970); None without that.
        scraped: when Prometheus scraped it (seconds since 1970, by Prometheus' clock); None if the
            pod was read just now.

    """

    counts: Counts
    process: float | None = None
    scraped: float | None = None

    def since(self, earlier: "Reading") -> Counts | None:
        """Return what was added; None if another process counts, or a counter fell."""
        return self.counts.since(earlier.counts) if self.process == earlier.process else None


def counts(samples: Iterable[tuple[str, Mapping[str, str], float]]) -> Counts:
    """Add up the series of the requests' histogram: name, labels and value of each.

    Raises:
        ValueError: a value is impossible for a counter, or the values do not add up.

    """
    requests = errors = 0.0
    buckets: Buckets = {}
    for name, labels, value in samples:
        if not isfinite(value) or value < 0:
            raise ValueError(f"{name} is {value}")
        failed = _is_error(labels.get(STATUS, ""))
        if name == f"{REQUESTS}_bucket" and not failed:
            bound = _bound(labels)
            buckets[bound] = buckets.get(bound, 0) + value
        elif name == f"{REQUESTS}_count":
            requests += value
            errors += value if failed else 0
    if not requests - errors == buckets.get(inf, 0) == max(buckets.values(), default=0):
        raise ValueError(
            f"{REQUESTS} does not add up: {requests - errors:.0f} requests that were not answered"
            f" 5xx, {buckets.get(inf, 0):.0f} in its buckets"
        )
    return Counts(requests, errors, buckets)


def read(exposition: str) -> Reading:
    """Read a scrape.

    Raises:
        ValueError: it is not in Prometheus' text format, or lacks the metric of the requests.

    """
    try:
        found = {
            family.name: family.samples
            for family in text_string_to_metric_families(exposition)
            if family.name in {REQUESTS, PROCESS}
        }
    except (KeyError, IndexError):  # from the parser, for some texts that are no metrics
        raise ValueError("its metrics are not in Prometheus' text format") from None
    if REQUESTS not in found:
        raise ValueError(f"its metrics contain no {REQUESTS}")
    started = [sample.value for sample in found.get(PROCESS, ())]
    return Reading(
        counts((sample.name, sample.labels, sample.value) for sample in found[REQUESTS]),
        started[0] if started else None,
    )


def total(parts: Iterable[Counts]) -> Counts:
    """Add up the counts of several pods."""
    requests = errors = 0.0
    buckets: Buckets = {}
    for part in parts:
        requests += part.requests
        errors += part.errors
        for bound, number in part.buckets.items():
            buckets[bound] = buckets.get(bound, 0) + number
    return Counts(requests, errors, buckets)


def quantile(share: float, buckets: Buckets) -> float | None:
    """Return a quantile as Prometheus' histogram_quantile does: linear inside a bucket.

    A quantile beyond the last finite bound is infinite: its true value is unknown.
    """
    bounds = sorted(buckets)
    if not bounds or buckets[bounds[-1]] <= 0:
        return None
    rank = share * buckets[bounds[-1]]
    lower, below = 0.0, 0.0
    for bound in bounds:
        if bound == inf:
            return inf
        inside = buckets[bound] - below
        if buckets[bound] >= rank and inside > 0:
            return lower + (bound - lower) * (rank - below) / inside
        lower, below = bound, buckets[bound]
    return lower


def _bound(labels: Mapping[str, str]) -> float:
    found = float(labels.get("le", "nan"))
    if found != found:  # noqa: PLR0124  only NaN differs from itself
        raise ValueError(f"a bucket of {REQUESTS} has the bound {labels.get('le')!r}")
    return found


def _is_error(status: str) -> bool:
    return status.isdigit() and int(status) >= _SERVER_ERROR
