"""Whether a canary is as good as it has to be."""

from math import inf
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orders_operator.api.rollout import Analysis
from orders_operator.rollout.judge import Verdict, comparable, judge, milliseconds
from orders_operator.rollout.windows import Counts


def answered(requests: int, errors: int = 0, seconds: float = 0.05) -> Counts:
    """Return a window in which all that succeeded took so long."""
    good = requests - errors
    return Counts(requests, errors, {seconds / 2: 0, seconds: good, inf: good})


def verdict(canary: Counts, stable: Counts, **bounds: Any) -> Verdict:
    """Judge by these bounds."""
    return judge(Analysis(**({"min_requests": 100} | bounds)), canary, stable)


def test_few_requests_say_nothing() -> None:
    """It says how many there were and how many it takes."""
    found = verdict(answered(99, errors=99), answered(1000))
    assert ("Inconclusive", True) == (found.word, found.few)
    assert "99 of the 100 requests" in found.message


def test_errors_over_the_bound_fail() -> None:
    """With the numbers of both."""
    found = verdict(answered(400, errors=21), answered(4000, errors=4))
    assert "Failed" == found.word
    assert (
        "21 of 400 requests to the canary were answered 5xx (5.25 %, limit 1 %);"
        " stable pods: 4 of 4,000 (0.1 %)." == found.message
    )


def test_errors_that_all_pods_have_hold_it() -> None:
    """The database is away, or so: that is not the canary's fault, and no time to promote it."""
    found = verdict(answered(400, errors=301), answered(4000, errors=3000))
    assert ("Inconclusive", False) == (found.word, found.few)


def test_a_canary_that_is_clearly_worse_fails_whatever_the_others_do() -> None:
    """A stable revision that is itself a little over the bound hides nothing."""
    assert "Failed" == verdict(answered(1000, errors=1000), answered(1000, errors=11)).word
    slow, tardy = answered(1000, seconds=9.9), answered(1000, seconds=0.3)
    assert "Failed" == verdict(slow, tardy, max_latency_p99="250ms").word


def test_a_canary_with_all_requests_is_compared_with_nobody() -> None:
    """Or a last step of 100 % behind a Gateway would wait for ever; its own bounds stay."""
    declared = Analysis(min_requests=100, max_latency_increase=2, max_latency_p99="1s")
    alone, none = comparable(declared, 100), answered(0)
    assert "Inconclusive" == judge(comparable(declared, 99), answered(400), none).word
    assert "Passed" == judge(alone, answered(400), none).word
    assert "Failed" == judge(alone, answered(400, seconds=1.1), none).word


def test_a_slow_canary_fails() -> None:
    """Over a bound, or compared with the stable pods."""
    slow, quick = answered(400, seconds=0.3), answered(4000, seconds=0.1)
    assert "Failed" == verdict(slow, quick, max_latency_p99="250ms").word
    assert "Passed" == verdict(slow, quick, max_latency_p99="1s").word
    found = verdict(slow, quick, max_latency_increase=2)
    assert ("Failed", True) == (found.word, "3.0 times" in found.message)
    assert "Passed" == verdict(slow, quick, max_latency_increase=3.5).word


def test_a_p99_in_the_last_bucket_is_over_every_bound() -> None:
    """Nobody knows how much over it is; where both are there, nobody can compare them."""
    beyond = Counts(400, 0, {10.0: 300, inf: 400})
    quick = answered(4000, seconds=0.1)
    found = verdict(beyond, quick, max_latency_p99="999999s")
    assert ("Failed", True) == (found.word, "p99 is over 10000 ms" in found.message)
    assert "Failed" == verdict(beyond, quick, max_latency_increase=1000).word
    assert "Inconclusive" == verdict(beyond, beyond, max_latency_p99="1s").word
    assert "Inconclusive" == verdict(beyond, beyond, max_latency_increase=1000).word
    assert "Passed" == verdict(quick, beyond, max_latency_increase=1).word
    assert "p99 over 10000 ms" in verdict(beyond, quick).message


def test_slowness_that_all_pods_have_holds_it() -> None:
    """A bound that the stable pods break as well says nothing of the canary."""
    slow = answered(400, seconds=0.3)
    assert "Inconclusive" == verdict(slow, slow, max_latency_p99="250ms").word


def test_a_comparison_needs_the_other_side() -> None:
    """With too few requests to the stable pods it holds."""
    found = verdict(answered(400), answered(99), max_latency_increase=2)
    assert ("Inconclusive", True) == (found.word, found.few)


def test_with_no_least_number_it_goes_on_without_requests() -> None:
    """That has to be declared."""
    assert "Passed" == verdict(Counts(), Counts(), min_requests=0).word


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.floats(0, 1))
def test_no_canary_passes_that_is_over_the_bound(
    good: int, errors: int, least: int, most: float
) -> None:
    """Whatever the stable pods do."""
    for stable in (Counts(), answered(1000), answered(1000, errors=900)):
        found = verdict(
            answered(good + errors, errors), stable, min_requests=least, max_error_ratio=most
        )
        enough = good + errors >= least
        if found.word == "Passed":
            assert enough
            assert errors <= most * (good + errors)
        assert enough or "Inconclusive" == found.word


@given(st.integers(0, 500), st.integers(0, 499), st.integers(0, 1000))
def test_a_worse_canary_gets_no_milder_verdict(errors: int, more: int, stable: int) -> None:
    """From passing over not being able to tell to failing, never back."""
    order = ["Passed", "Inconclusive", "Failed"]
    other = answered(1000, errors=stable)
    better = verdict(answered(1000, errors=errors), other, max_error_ratio=0.1)
    worse = verdict(answered(1000, errors=errors + more), other, max_error_ratio=0.1)
    assert order.index(better.word) <= order.index(worse.word)


def test_latencies_are_read() -> None:
    """Milliseconds or seconds."""
    assert (250.0, 2000.0) == (milliseconds("250ms"), milliseconds("2s"))
