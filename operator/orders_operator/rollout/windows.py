"""What pods answered in a window of time: the difference of two scrapes. Pure.

Counters and histograms only grow, so the difference of two is what happened between them. A pod
that was not there at both ends, or whose process began in between, is left out: what it counted
before it took its share of requests (its first ones are its slowest) is not compared.
"""

from collections.abc import Iterable, Mapping
from math import inf
from typing import Final

from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

REQUESTS: Final = "http_server_request_duration_seconds"
"""OpenTelemetry's semantic convention, in Prometheus' spelling and units."""
STATUS: Final = "http_response_status_code"
_SERVER_ERROR: Final = 500
_P99: Final = 0.99

Buckets = dict[float, float]
"""Requests that took at most so many seconds, by the upper bounds; cumulative."""


class Counts(Struct, frozen=True):
    """Requests of one pod, or of several: since their start, or in a window.

    `buckets` are of those that were not answered 5xx.
    """

    requests: float = 0
    errors: float = 0
    buckets: Buckets = {}

    @property
    def error_ratio(self) -> float:
        """Return the share that was answered 5xx."""
        return self.errors / self.requests if self.requests else 0.0

    @property
    def p99(self) -> float | None:
        """Return the seconds that 99 of 100 requests took at most; None without any."""
        return quantile(_P99, self.buckets)

    def since(self, earlier: "Counts") -> "Counts | None":
        """Return what was added; None if something is less, as after a restart."""
        buckets = {le: n - earlier.buckets.get(le, 0) for le, n in self.buckets.items()}
        requests, errors = self.requests - earlier.requests, self.errors - earlier.errors
        if min(requests, errors, *buckets.values(), 0) < 0:
            return None
        return Counts(requests, errors, buckets)


def counts(samples: Iterable[tuple[str, Mapping[str, str], float]]) -> Counts:
    """Add up the series of the requests' histogram: name, labels and value of each."""
    requests = errors = 0.0
    buckets: Buckets = {}
    for name, labels, value in samples:
        failed = _is_error(labels.get(STATUS, ""))
        if name == f"{REQUESTS}_bucket" and not failed:
            bound = float(labels["le"])
            buckets[bound] = buckets.get(bound, 0) + value
        elif name == f"{REQUESTS}_count":
            requests += value
            errors += value if failed else 0
    return Counts(requests, errors, buckets)


def read(exposition: str) -> Counts:
    """Read a scrape.

    Raises:
        ValueError: it is not in Prometheus' text format.

    """
    return counts(
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(exposition)
        if family.name == REQUESTS
        for sample in family.samples
    )


def total(parts: Iterable[Counts]) -> Counts:
    """Add up several pods."""
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

    What is above the last finite bound is at that bound.
    """
    bounds = sorted(buckets)
    if not bounds or buckets[bounds[-1]] <= 0:
        return None
    rank = share * buckets[bounds[-1]]
    lower, below = 0.0, 0.0
    for bound in bounds:
        if bound == inf:
            return lower
        inside = buckets[bound] - below
        if buckets[bound] >= rank and inside > 0:
            return lower + (bound - lower) * (rank - below) / inside
        lower, below = bound, buckets[bound]
    return lower


def _is_error(status: str) -> bool:
    return status.isdigit() and int(status) >= _SERVER_ERROR
