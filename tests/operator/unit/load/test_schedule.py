"""Which request is of which kind, and when a failed one is tried again."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_operator.load import schedule
from orders_operator.load.settings import LoadSettings

URL = "http://orders"
SHARES = st.floats(0, 1)


@given(SHARES, SHARES, st.integers(0, 10_000_000))
def test_shares_are_met_at_any_time(reads: float, fresh: float, first: int) -> None:
    """Of any 1,000 requests in a row, each kind has its share to within 1 in 100."""
    settings = LoadSettings(URL, reads=reads, fresh=fresh)
    kinds = [schedule.kind(number, settings) for number in range(first, first + 1000)]

    assert reads == pytest.approx(sum(kind.read for kind in kinds) / 1000, abs=0.01)
    assert fresh == pytest.approx(sum(kind.fresh for kind in kinds) / 1000, abs=0.01)


@given(SHARES, SHARES)
def test_reads_are_as_fresh_as_creates(reads: float, fresh: float) -> None:
    """The kinds do not depend on each other."""
    settings = LoadSettings(URL, reads=reads, fresh=fresh)
    both = sum(schedule.kind(number, settings) == (True, True) for number in range(5000))

    assert reads * fresh == pytest.approx(both / 5000, abs=0.02)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_none_and_all_are_exact(share: float) -> None:
    """A share of 0 is never, of 1 always."""
    settings = LoadSettings(URL, reads=share, fresh=share)
    kinds = {schedule.kind(number, settings) for number in range(10_000)}

    assert {(bool(share), bool(share))} == kinds


@pytest.mark.parametrize(
    ("rate", "duration", "expected"),
    [(100.0, 60.0, 6000), (0.1, 1.0, 1), (3.0, 1.5, 5), (0.7, 10.0, 7), (9.0, None, math.inf)],
)
def test_a_load_has_as_many_requests_as_are_due(
    rate: float, duration: float | None, expected: float
) -> None:
    """The first is due at once, and none at the end of the duration or later."""
    assert expected == schedule.total(LoadSettings(URL, rate=rate, duration=duration))


@given(st.integers(0, 10_000_000), st.integers(1, 1_000_000))
def test_a_choice_is_one_of_them(number: int, size: int) -> None:
    """Every request has something to read, even of one."""
    assert schedule.choice(number, size) in range(size)


def test_choices_leave_nothing_out() -> None:
    """Old orders are read as well as new ones."""
    assert set(range(50)) == {schedule.choice(number, 50) for number in range(500)}


@given(
    st.integers(0, 10_000_000),
    st.integers(0, 100),
    st.one_of(st.none(), st.floats(0, 1e9)),
)
def test_a_pause_is_short_and_honours_retry_after(
    number: int, attempt: int, retry_after: float | None
) -> None:
    """It is at least what the answer asked for, and at most 5 s."""
    pause = schedule.backoff(number, attempt, retry_after)

    assert min(max(0.125, retry_after or 0), 5) <= pause <= 5
