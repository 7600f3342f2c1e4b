"""The report of a load in JSON. Durations are seconds, `at` is seconds since the start."""

from datetime import datetime

from msgspec import Struct


class Latency(Struct, frozen=True, rename="camel"):
    """Percentiles, at most 1 in 32 too high; all 0 when `count` is."""

    p50: float
    p90: float
    p99: float
    max: float
    count: int


class Second(Struct, frozen=True, rename="camel"):
    """The requests that were due within one second; percentiles are of those that succeeded."""

    at: int
    requests: int
    failed: int
    refused: int
    p50: float
    p99: float
    max: float


class FailedTry(Struct, frozen=True, rename="camel"):
    """A try that failed.

    `key` is the order's, as in the ledger. `what` is one of `errors`, or the type of the answered
    problem, or else the status. `status` is None without an answer. `reused` is whether
    the connection had carried a request before; `attempt` counts from 1. `phase` is `connecting`,
    `sent` (no byte of an answer came), `answering` (some, not all), `answered`, or `waiting` (not
    started, or cut off).
    """

    at: float
    method: str
    key: str
    what: str
    status: int | None
    reused: bool
    attempt: int
    phase: str


class Watched(Struct, frozen=True, rename="camel"):
    """The answers of a watched URL, by status or error, and the longest time without a 200."""

    answers: dict[str, int]
    longest_gap: float


class Report(Struct, frozen=True, rename="camel"):
    """What became of every request that has ended: `requests` is `succeeded` and `failed`.

    `refused` are those of the failed whose last answer was a 503 with Retry-After. `retried` is
    the number of further tries; `statuses` and `errors` are of all tries. `latency` is of the
    requests that succeeded, from when each was due to its last byte, further tries included;
    `refusal_latency` is of every 503, from when its try was due. `late` requests were started over
    50 ms late: the generator was too slow. `unknown` creates may exist, or not. `failures` are the
    first 50 requests that failed, `retries` the first 50 tries that were followed by another.
    """

    started_at: datetime
    ended_at: datetime | None
    url: str
    rate: float
    requests: int
    succeeded: int
    failed: int
    refused: int
    retried: int
    acknowledged: int
    unknown: int
    late: int
    statuses: dict[str, int]
    errors: dict[str, int]
    latency: Latency
    refusal_latency: Latency
    seconds: list[Second]
    failures: list[FailedTry]
    retries: list[FailedTry]
    watched: dict[str, Watched]
