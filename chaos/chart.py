"""Latency over time as SVG: p50 and p99 in each second, failures, and what happened when.

The axis of latency is logarithmic, so that a pause of a second and an answer within a millisecond
are both visible.
"""

from collections.abc import Callable
from math import ceil, floor, log10
from typing import Final
from xml.sax.saxutils import escape

from bench.chart import WIDTH, opening
from chaos.results import Mark
from orders_operator.load.report import Second

LEFT: Final = 56
RIGHT: Final = 8
TOP: Final = 66
PLOT: Final = 150
BARS: Final = 34
BOTTOM: Final = 24
EDGE: Final = 16
POINTS: Final = 240
"""The most seconds that are drawn one by one; more are drawn in groups."""

_SHORTEST: Final = 0.001
_STEPS: Final = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200)
_STYLE: Final = """
text { font: 12px system-ui, sans-serif; fill: #59636e; }
.title { font-weight: 600; font-size: 15px; fill: #1f2328; }
.grid { stroke: #d1d9e0; }
.mark { stroke: #59636e; stroke-dasharray: 3 3; }
.p50 { stroke: #0969da; fill: none; stroke-width: 1.5; }
.p99 { stroke: #8250df; fill: none; stroke-width: 1.5; }
.failed { fill: #cf222e; }
.refused { fill: #bf8700; }
@media (prefers-color-scheme: dark) {
  text { fill: #9198a1; }
  .title { fill: #f0f6fc; }
  .grid { stroke: #3d444d; }
  .mark { stroke: #9198a1; }
  .p50 { stroke: #4493f8; }
  .p99 { stroke: #ab7df8; }
  .failed { fill: #f85149; }
  .refused { fill: #d29922; }
}
"""


def timeline(title: str, seconds: list[Second], marks: list[Mark]) -> str:
    """Draw the seconds of a load; the marks are numbered, their texts are for the page."""
    drawn = gathered(seconds)
    length = max([it.at for it in drawn] + [mark.at for mark in marks] + [1.0])
    low, high = _decades(drawn)

    def x(at: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * at / length

    def y(latency: float) -> float:
        return TOP + PLOT * (high - log10(max(latency, _SHORTEST))) / (high - low)

    height = TOP + PLOT + BARS + BOTTOM
    lines = [
        *opening(title, _described(drawn), height, _STYLE),
        *_legend(),
    ]
    for decade in range(low, high + 1):
        lines.append(_line("grid", LEFT, y(10**decade), WIDTH - RIGHT, y(10**decade)))
        lines.append(_text(LEFT - 6, y(10**decade) + 4, _latency(10**decade), "end"))
    lines += _columns(drawn, x)
    step = next((it for it in _STEPS if length / it <= 12), _STEPS[-1])
    for at in range(0, floor(length) + 1, step):
        lines.append(_text(x(at), height - 6, f"{at} s", _anchor(x(at))))
    for number, mark in enumerate(marks, 1):
        lines.append(_line("mark", x(mark.at), TOP - 8, x(mark.at), TOP + PLOT + BARS))
        lines.append(_text(x(mark.at), TOP - 12, str(number), "middle"))
    for kind, values in (("p99", [it.p99 for it in drawn]), ("p50", [it.p50 for it in drawn])):
        pieces = _pieces(
            [(x(it.at), y(v)) if v else None for it, v in zip(drawn, values, strict=True)]
        )
        lines += [f'<polyline class="{kind}" points="{piece}"/>' for piece in pieces]
    return "\n".join([*lines, "</svg>", ""])


def gathered(seconds: list[Second]) -> list[Second]:
    """Join neighbours until there are no more than POINTS; of latencies the longest stays."""
    size = ceil(len(seconds) / POINTS)
    if size <= 1:
        return seconds
    parts = [seconds[start : start + size] for start in range(0, len(seconds), size)]
    return [
        Second(
            at=part[0].at,
            requests=sum(it.requests for it in part),
            failed=sum(it.failed for it in part),
            refused=sum(it.refused for it in part),
            p50=max(it.p50 for it in part),
            p99=max(it.p99 for it in part),
            max=max(it.max for it in part),
        )
        for part in parts
    ]


def _decades(drawn: list[Second]) -> tuple[int, int]:
    """Return the powers of ten between which all latencies are."""
    found = [v for it in drawn for v in (it.p50, it.p99) if v]
    low = min((max(v, _SHORTEST) for v in found), default=_SHORTEST)
    high = max(found, default=0.1)
    return floor(log10(low)), max(ceil(log10(high)), floor(log10(low)) + 1)


def _described(drawn: list[Second]) -> str:
    longest = max((it.p99 for it in drawn if it.p99), default=0)
    failed = sum(it.failed for it in drawn)
    return (
        f"{sum(it.requests for it in drawn)} requests, {failed} failed, p99 up to {longest:.3f} s"
    )


def _legend() -> list[str]:
    lines, at = [], 0
    for kind, text in (
        ("p50", "p50"),
        ("p99", "p99"),
        ("failed", "failed"),
        ("refused", "refused with 503"),
    ):
        drawn = (
            _line(kind, at, 34, at + 18, 34)
            if kind.startswith("p")
            else f'<rect class="{kind}" x="{at + 4}" y="28" width="10" height="10"/>'
        )
        lines += [drawn, _text(at + 24, 38, text, "start")]
        at += 44 + 7 * len(text)
    return lines


def _columns(drawn: list[Second], x: Callable[[float], float]) -> list[str]:
    """Draw what failed below the latencies, as a share of each second's requests."""
    width = max(1.0, (WIDTH - LEFT - RIGHT) / max(len(drawn), 1) - 0.5)
    base = TOP + PLOT + BARS
    lines = [_line("grid", LEFT, base, WIDTH - RIGHT, base)]
    for it in drawn:
        bottom = float(base)
        for kind, number in (("refused", it.refused), ("failed", it.failed - it.refused)):
            if number <= 0 or not it.requests:
                continue
            tall = max(2.0, (BARS - 4) * min(1.0, number / it.requests))
            bottom -= tall
            lines.append(
                f'<rect class="{kind}" x="{x(it.at):.1f}" y="{bottom:.1f}"'
                f' width="{width:.1f}" height="{tall:.1f}"/>'
            )
    return lines


def _pieces(points: list[tuple[float, float] | None]) -> list[str]:
    """Return the lines between gaps."""
    pieces: list[list[str]] = [[]]
    for point in points:
        if point is None:
            pieces.append([])
        else:
            pieces[-1].append(f"{point[0]:.1f},{point[1]:.1f}")
    return [" ".join(piece) for piece in pieces if piece]


def _anchor(x: float) -> str:
    """Return how a label keeps inside the chart."""
    if x < LEFT + EDGE:
        return "start"
    return "end" if x > WIDTH - RIGHT - EDGE else "middle"


def _latency(seconds: float) -> str:
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
