"""The canary compared with the stable pods: the last window of the analysis, with bars. Pure."""

from datetime import datetime
from typing import Final

from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.text import Text

from orders_operator.api.rollout import Analysis, Rollout, judged_by
from orders_operator.api.status import AnalysisStatus, Measured
from orders_operator.plugin.format import milliseconds, percent, since, span
from orders_operator.plugin.layout import grid
from orders_operator.rollout.judge import milliseconds as bounded
from orders_operator.rollout.situation import BAKE, PROMOTION, moment

WIDTH: Final = 14
"""Columns of a bar."""
_STYLES: Final = {"Passed": "green", "Failed": "red", "Inconclusive": "yellow"}


def comparison(
    analysis: AnalysisStatus, declared: Rollout | None, now: datetime
) -> RenderableType:
    """Draw the answers of both and the limits; the bars of a column share one scale."""
    bounds = None if declared is None else judged_by(declared)
    rows = [(name, measured) for name, measured in _tracks(analysis) if measured is not None]
    errors = None if bounds is None else bounds.max_error_ratio
    slowest = None if bounds is None else _slowest(bounds, analysis.stable)
    most_errors = max([*(measured.error_ratio for _, measured in rows), errors or 0])
    most_time = max([*(measured.p99_milliseconds or 0 for _, measured in rows), slowest or 0])
    table = grid(
        "", "PODS", "REQUESTS", "ERRORS", " ", "P99", "  ",
        right=("PODS", "REQUESTS", "ERRORS", "P99"),
    )  # fmt: skip
    for name, measured in rows:
        watched = name != "stable"
        table.add_row(
            name,
            str(measured.pods),
            f"{measured.requests:,}",
            percent(measured.error_ratio),
            _bar(measured.error_ratio, most_errors, errors if watched else None),
            milliseconds(measured.p99_milliseconds),
            _bar(measured.p99_milliseconds or 0, most_time, slowest if watched else None),
        )
    if bounds is not None:
        table.add_row(
            "limit", "", "", percent(bounds.max_error_ratio), _bar(errors or 0, most_errors),
            "" if slowest is None else milliseconds(slowest), _bar(slowest or 0, most_time),
            style="dim",
        )  # fmt: skip
    return Group(_title(analysis, bounds, now), *([table] if rows else []))


def _tracks(analysis: AnalysisStatus) -> tuple[tuple[str, Measured | None], ...]:
    judged = "new" if analysis.stage in {PROMOTION, BAKE} else "canary"
    return (judged, analysis.canary), (
        "stable",
        None if analysis.stage == BAKE else analysis.stable,
    )


def _title(analysis: AnalysisStatus, bounds: Analysis | None, now: datetime) -> Text:
    allowed = "" if bounds is None else f" (limit {bounds.failure_limit})"
    return Text.assemble(
        "Analysis: ",
        (analysis.verdict, _STYLES[analysis.verdict]),
        f", {span(analysis.window_seconds)} until {since(moment(analysis.at), now)} ago;"
        f" passed {analysis.passes}, failed {analysis.failures}{allowed}",
    )


def _slowest(bounds: Analysis, stable: Measured | None) -> float | None:
    """Return the bound of the p99 in milliseconds; None if there is none."""
    limits = []
    if bounds.max_latency_p99 is not None:
        limits.append(bounded(bounds.max_latency_p99))
    if bounds.max_latency_increase is not None and stable is not None and stable.p99_milliseconds:
        limits.append(bounds.max_latency_increase * stable.p99_milliseconds)
    return min(limits, default=None)


def _bar(value: float, most: float, bound: float | None = None) -> RenderableType:
    color = "default" if bound is None else "red" if value > bound else "green"
    return Bar(most or 1, 0, value, width=WIDTH, color=color)
