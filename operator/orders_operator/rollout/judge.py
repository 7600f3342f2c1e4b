"""Judges the canary by one window of both tracks. Pure.

If the stable pods suffer about as much, that is not the canary's fault, and too few requests prove
nothing: both are inconclusive, and hold the rollout. A p99 beyond the last bound of the histogram
exceeds every limit.
"""

from math import inf
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from orders_operator.api.rollout import Analysis
from orders_operator.rollout.windows import Counts

_ALL: Final = 100
_SHARED: Final = "The stable pods are affected as well."

Word = Literal["Passed", "Failed", "Inconclusive"]


class Verdict(Struct, frozen=True):
    """The verdict of a window, its numbers in words, and whether it lacked requests."""

    word: Word
    message: str
    few: bool = False


def absolute(analysis: Analysis) -> Analysis:
    """Return the bounds that apply if no stable pods are left for a comparison."""
    return replace(analysis, max_latency_increase=None)


def comparable(analysis: Analysis, weight: int) -> Analysis:
    """Return the bounds for a canary; one that gets all requests has no comparison.

    Args:
        analysis: the declared bounds.
        weight: the share of requests that a Gateway gives the canary, in percent.

    """
    return absolute(analysis) if weight == _ALL else analysis


def judge(analysis: Analysis, canary: Counts, stable: Counts) -> Verdict:
    """Compare a canary's window with the bounds, and with the stable pods' same window."""
    if canary.requests < analysis.min_requests:
        return Verdict(
            "Inconclusive",
            f"The window has {canary.requests:,.0f} of the {analysis.min_requests:,} requests"
            " that it needs; waiting for more.",
            few=True,
        )
    return _errors(analysis, canary, stable) or _latency(analysis, canary, stable)


def milliseconds(text: str) -> float:
    """Return the milliseconds of a latency such as `250ms` or `2s`."""
    number, unit = (text[:-2], 1.0) if text.endswith("ms") else (text[:-1], 1000.0)
    return float(number) * unit


def _errors(analysis: Analysis, canary: Counts, stable: Counts) -> Verdict | None:
    most = analysis.max_error_ratio
    if canary.error_ratio <= most:
        return None
    told = (
        f"{canary.errors:,.0f} of {canary.requests:,.0f} requests to the canary were answered 5xx"
        f" ({_percent(canary.error_ratio)}, limit {_percent(most)}); stable pods:"
        f" {stable.errors:,.0f} of {stable.requests:,.0f} ({_percent(stable.error_ratio)})."
    )
    shared = stable.error_ratio > most and canary.error_ratio - stable.error_ratio <= most
    if stable.requests and shared:
        return Verdict("Inconclusive", f"{told} {_SHARED}")
    return Verdict("Failed", told)


def _latency(analysis: Analysis, canary: Counts, stable: Counts) -> Verdict:
    good = (
        f"{canary.requests:,.0f} requests, {_percent(canary.error_ratio)} of them answered 5xx,"
        f" p99 {_p99(canary)}; stable pods: {stable.requests:,.0f} requests,"
        f" {_percent(stable.error_ratio)}, p99 {_p99(stable)}."
    )
    mine, theirs = canary.p99, stable.p99
    if analysis.max_latency_p99 is not None and mine is not None:
        most = milliseconds(analysis.max_latency_p99)
        if mine * 1000 > most:
            told = (
                f"The canary's p99 is {_p99(canary)} (limit {most:g} ms);"
                f" the stable pods' is {_p99(stable)}."
            )
            if theirs is not None and most < theirs * 1000 and _near(mine, theirs, most / 1000):
                return Verdict("Inconclusive", f"{told} {_SHARED}")
            return Verdict("Failed", told)
    if analysis.max_latency_increase is not None and mine is not None:
        if theirs is None or stable.requests < analysis.min_requests:
            return Verdict(
                "Inconclusive",
                f"The stable pods had {stable.requests:,.0f} of the {analysis.min_requests:,}"
                " requests that a comparison needs; waiting for more.",
                few=True,
            )
        if mine == theirs == inf:
            return Verdict(
                "Inconclusive",
                f"The p99 of both the canary and the stable pods is {_p99(canary)},"
                " so they cannot be compared.",
            )
        if mine > theirs * analysis.max_latency_increase:
            times = "against" if mine == inf else f"{mine / theirs:.1f} times"
            return Verdict(
                "Failed",
                f"The canary's p99 is {_p99(canary)}, {times} the stable pods' {_p99(stable)}"
                f" (limit {analysis.max_latency_increase:g} times).",
            )
    return Verdict("Passed", good)


def _near(mine: float, theirs: float, most: float) -> bool:
    """Whether one latency exceeds the other by no more than the limit for one; all in seconds."""
    return mine == theirs or mine - theirs <= most


def _percent(ratio: float) -> str:
    return f"{100 * ratio:.3g} %"


def _p99(counts: Counts) -> str:
    p99 = counts.p99
    if p99 is None:
        return "unknown"
    if p99 == inf:
        return f"over {1000 * counts.last_bound:g} ms"
    return f"{1000 * p99:.3g} ms"
