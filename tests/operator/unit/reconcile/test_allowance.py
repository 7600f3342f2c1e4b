"""The time that a pass has for its writes."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_operator.client.errors import KubeError
from orders_operator.reconcile.allowance import (
    EVENTS_SECONDS,
    STATUS_SECONDS,
    WRITES_SECONDS,
    Allowance,
)

LATE = 1.0
"""Seconds that an answer may come later than the API server was told."""


class Clock:
    """A time that goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def spent(seconds: float, took: list[float]) -> float:
    """Return what writes take that each want so many seconds, or end when theirs are over."""
    clock = Clock()
    allowance = Allowance(seconds, clock)
    for wanted in took:
        with contextlib.suppress(KubeError), allowance.share() as most:
            clock.now += min(wanted, most + LATE)
    return clock.now


@given(st.lists(st.floats(0, 60), max_size=60))
def test_writes_never_take_more_than_there_is(took: list[float]) -> None:
    """However many are slow, and though each is answered late."""
    assert spent(WRITES_SECONDS, took) <= WRITES_SECONDS + LATE


def test_a_pass_has_thirty_seconds() -> None:
    """For children, status and Events, each of which may be answered late."""
    for_all = (WRITES_SECONDS, EVENTS_SECONDS)
    assert 30 >= sum(spent(it, [60.0] * 60) for it in for_all) + STATUS_SECONDS + LATE


def test_a_write_has_half_of_what_is_left() -> None:
    """So what comes after a slow one has its share, until nothing worth it is left."""
    clock = Clock()
    allowance = Allowance(20, clock)
    shares = []
    with pytest.raises(KubeError, match="took all the time of this pass") as caught:  # noqa: PT012  the share is part of it
        while True:
            with allowance.share() as most:
                shares.append(most)
                clock.now += most
    assert not caught.value.lost
    assert [10, 5, 2.5, 1.25] == shares[:4]
    assert min(shares) >= 0.1


def test_a_write_that_fails_is_charged_for() -> None:
    """An error took its time, too."""
    clock = Clock()
    allowance = Allowance(20, clock)

    def fail() -> None:
        with allowance.share():
            clock.now += 4
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    with allowance.share() as seconds:
        assert 8 == seconds


def test_what_is_quick_is_never_refused() -> None:
    """Thirty writes of a tenth of a second each."""
    assert 3 == pytest.approx(spent(WRITES_SECONDS, [0.1] * 30))
