"""Percentiles by bucket, against the sorted durations themselves."""

import math

from hypothesis import given
from hypothesis import strategies as st

from orders_operator.load.histogram import Histogram

DURATIONS = st.floats(0, 86400, allow_nan=False)


def filled(durations: list[float]) -> Histogram:
    """Return a histogram of these."""
    histogram = Histogram()
    for seconds in durations:
        histogram.observe(seconds)
    return histogram


@given(st.lists(DURATIONS, min_size=1, max_size=200), st.floats(0, 1))
def test_a_percentile_is_at_most_one_in_32_too_high(durations: list[float], share: float) -> None:
    """It is the duration of that rank, or up to a bucket's width above, and never below."""
    exact = sorted(durations)[max(math.ceil(share * len(durations)), 1) - 1]
    found = filled(durations).quantile(share)

    assert exact - 1e-9 <= found <= exact * (1 + 1 / 32) + 1e-6


@given(st.lists(DURATIONS, min_size=1, max_size=200))
def test_the_longest_is_exact(durations: list[float]) -> None:
    """Whatever the bucket, `max` and the last percentile are the longest duration itself."""
    histogram = filled(durations)

    assert max(durations) == histogram.max == histogram.quantile(1)
    assert len(durations) == histogram.count


@given(st.lists(DURATIONS, max_size=100), st.floats(0, 1), st.floats(0, 1))
def test_percentiles_rise_with_the_share(
    durations: list[float], share: float, other: float
) -> None:
    """A larger share is never at a lower duration."""
    histogram = filled(durations)
    low, high = sorted([share, other])

    assert histogram.quantile(low) <= histogram.quantile(high)


def test_nothing_is_zero() -> None:
    """Without durations there is no percentile, and a clock's rounding is no error."""
    empty, rounded = Histogram(), filled([-1e-9])

    assert (0, 0.0, 0.0) == (empty.count, empty.max, empty.quantile(0.99))
    assert (1, 0.0) == (rounded.count, rounded.quantile(0.5))
