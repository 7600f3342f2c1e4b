"""The screen of `kubectl orders load`: the outcomes of requests, second by second. Pure."""

from datetime import UTC, datetime
from typing import Final

from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.text import Text

from orders_operator.load.report import Report
from orders_operator.plugin.format import milliseconds, percent, span
from orders_operator.plugin.layout import grid

SECONDS: Final = 10
"""How many of the last seconds are shown."""
WIDTH: Final = 24
"""Columns of a bar."""


def load_screen(
    report: Report, what: str, duration: float | None, now: datetime
) -> RenderableType:
    """Draw a load that is under way, or has ended.

    Args:
        report: the report so far.
        what: the name of what is called.
        duration: the seconds that the load should take; None if it goes on until it is stopped.
        now: the time.

    """
    parts = [_head(report, what, duration, now), _totals(report)]
    answers = _counted(report.statuses | report.errors)
    if answers:
        parts.append(Text(f"answers  {answers}"))
    if report.late:
        parts.append(
            Text(f"{report.late:,} requests were sent late: this machine is too slow.", "yellow")
        )
    for url, seen in report.watched.items():
        gap = milliseconds(1000 * seen.longest_gap)
        parts.append(Text(f"{url}  {_counted(seen.answers)}, longest without a 200: {gap}"))
    return Group(*parts, "", _seconds(report))


def _head(report: Report, what: str, duration: float | None, now: datetime) -> Text:
    ended = report.ended_at
    passed = ((ended or now) - report.started_at.astimezone(UTC)).total_seconds()
    whole = "" if duration is None else f" of {span(duration)}"
    return Text.assemble(
        (what, "bold"),
        f"  {report.rate:g} requests a second  {span(passed)}{whole}",
        ("  ended" if ended else "", "dim"),
    )


def _totals(report: Report) -> RenderableType:
    headings = ("REQUESTS", "ORDERS", "FAILED", "REFUSED", "P50", "P90", "P99", "MAX")
    table = grid(*headings, right=headings)
    share = report.failed / report.requests if report.requests else 0.0
    latency = report.latency
    table.add_row(
        f"{report.requests:,}",
        f"{report.acknowledged:,}",
        Text(f"{report.failed:,} ({percent(share)})", "red" if report.failed else "green"),
        f"{report.refused:,}",
        *(
            _time(value, latency.count)
            for value in (latency.p50, latency.p90, latency.p99, latency.max)
        ),
    )
    return table


def _seconds(report: Report) -> RenderableType:
    """Draw the last seconds; a bar is a p99, and all bars share one scale."""
    shown = report.seconds[-SECONDS:]
    most = max((second.p99 for second in shown), default=0.0)
    table = grid(
        "SECOND", "REQUESTS", "FAILED", "P50", "MAX", "P99", " ",
        right=("SECOND", "REQUESTS", "FAILED", "P50", "MAX", "P99"),
    )  # fmt: skip
    for second in shown:
        good = second.requests - second.failed
        table.add_row(
            str(second.at),
            f"{second.requests:,}",
            Text(f"{second.failed:,}", "red" if second.failed else ""),
            *(_time(seconds, good) for seconds in (second.p50, second.max, second.p99)),
            Bar(most or 1, 0, second.p99, width=WIDTH, color="red" if second.failed else "green"),
        )
    return table


def _time(seconds: float, count: int) -> str:
    return milliseconds(1000 * seconds if count else None)


def _counted(counts: dict[str, int]) -> str:
    """Return the number of answers by status, and of tries by error."""
    return "  ".join(f"{what} {number:,}" for what, number in sorted(counts.items()))
