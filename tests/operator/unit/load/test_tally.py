"""What is counted, and how it is told."""

import math
from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from orders_operator.load.ledger import Ledger
from orders_operator.load.report import FailedTry, Report
from orders_operator.load.settings import LoadSettings
from orders_operator.load.tally import Tally

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REFUSED = FailedTry(
    1.0, "GET", "run-7", "overloaded", 503, reused=True, attempt=1, phase="answered"
)


def tally() -> Tally:
    """Return one that has counted nothing."""
    return Tally(LoadSettings("http://orders"), Ledger("run"))


def report(counted: Tally) -> Report:
    """Return what one tells."""
    return counted.report(NOW, None, {})


@given(
    st.lists(st.tuples(st.floats(0, 30), st.floats(0, 9), st.booleans()), max_size=60),
    st.floats(0, 40),
)
def test_seconds_add_up(ended: list[tuple[float, float, bool]], before: float) -> None:
    """Each request counts in the second when it was due, summed up early or late."""
    counted = tally()
    for due, seconds, failed in sorted(ended, key=lambda request: request[0] >= before):
        if due >= before:
            counted.sum_up(before)
        if failed:
            counted.failed(due, REFUSED, refused=True)
        else:
            counted.succeeded(due, seconds)
    told = report(counted)

    assert sorted({int(due) for due, *_ in ended}) == [second.at for second in told.seconds]
    assert len(ended) == told.requests == told.succeeded + told.failed
    assert len(ended) == sum(second.requests for second in told.seconds)
    assert sum(failed for *_, failed in ended) == sum(s.failed for s in told.seconds)
    assert told.refused == sum(second.refused for second in told.seconds)
    assert told.latency.max == max((second.max for second in told.seconds), default=0)
    counted.sum_up(math.inf)
    assert told == report(counted)


def test_a_503_that_is_tried_again_is_no_failure() -> None:
    """It is among the statuses, the refusals' latency and the retries, and nothing failed."""
    counted = tally()
    for status in (503, 201):
        counted.answered(status)
    counted.unavailable(0.25)
    counted.retried(REFUSED)
    counted.succeeded(0.0, 2.0)
    told = report(counted)

    assert (1, 1, 0, 0, 1) == (
        told.requests,
        told.succeeded,
        told.failed,
        told.refused,
        told.retried,
    )
    assert {"503": 1, "201": 1} == told.statuses
    assert (1, 0.25) == (told.refusal_latency.count, told.refusal_latency.max)
    assert ([], [REFUSED]) == (told.failures, told.retries)


def test_the_first_50_failures_are_told_one_by_one() -> None:
    """All are counted, and memory does not grow with them."""
    counted = tally()
    for attempt in range(60):
        failure = msgspec.structs.replace(REFUSED, attempt=attempt)
        counted.failed(0.0, failure, refused=False)
        counted.retried(failure)
    told = report(counted)

    assert (60, 60) == (told.failed, told.retried)
    assert list(range(50)) == [failure.attempt for failure in told.failures]
    assert list(range(50)) == [failure.attempt for failure in told.retries]


def test_late_is_over_50_ms() -> None:
    """What the generator started later than that is told, as it may be to blame."""
    counted = tally()
    for late in (0.0, 0.05, 0.051, 3.0):
        counted.started(late)

    assert 2 == report(counted).late
