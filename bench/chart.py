"""Throughput over connections as SVG: one line for each server, with its name at its end.

The SVG is written by hand because this is the only drawing. The numbers of connections are spaced
equally. Colours follow the reader's light or dark setting.
"""

from typing import Final
from xml.sax.saxutils import escape

from msgspec import Struct

WIDTH: Final = 760
LEFT: Final = 62
NAMES: Final = 275
TOP: Final = 52
PLOT: Final = 300
BOTTOM: Final = 34
ROW: Final = 15
"""The least distance between two names, in pixels."""

_COLOURS: Final = (
    ("#0969da", "#4493f8"),
    ("#57606a", "#9198a1"),
    ("#cf222e", "#f85149"),
    ("#bf5700", "#f0883e"),
    ("#8250df", "#ab7df8"),
    ("#bf3989", "#db61a2"),
    ("#1a7f37", "#3fb950"),
    ("#9a6700", "#d29922"),
    ("#0a7ea4", "#39c5cf"),
)
"""Colours of the lines in order, for light and dark; after the last comes the first again."""

_STYLE: Final = """
text { font: 12px system-ui, sans-serif; fill: #59636e; }
.title { font-weight: 600; font-size: 15px; fill: #1f2328; }
.own { font-weight: 600; }
.grid { stroke: #d1d9e0; }
polyline { fill: none; stroke-width: 1.5; }
polyline.own { stroke-width: 3; }
"""
_DARK: Final = """
  text { fill: #9198a1; }
  .title { fill: #f0f6fc; }
  .grid { stroke: #3d444d; }
"""


class Line(Struct, frozen=True):
    """A server's requests a second at each number of connections."""

    label: str
    values: dict[int, float]


def opening(title: str, described: str, height: int, style: str) -> list[str]:
    """Return the first lines of a chart, to its title; `described` is for who cannot see it."""
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"',
        f' viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title description">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(described)}</desc>',
        f"<style>{style}</style>",
        f'<text class="title" x="0" y="18">{escape(title)}</text>',
    ]


def lines(title: str, drawn: list[Line], ours: str) -> str:
    """Draw the lines; the one labelled `ours` stands out. Lines without a value are left out."""
    drawn = [line for line in drawn if line.values]
    connections = sorted({number for line in drawn for number in line.values})
    most = ceiling(max((value for line in drawn for value in line.values.values()), default=0))
    step = (WIDTH - LEFT - NAMES) / max(len(connections) - 1, 1)
    x = {number: LEFT + step * index for index, number in enumerate(connections)}

    def y(value: float) -> float:
        return TOP + PLOT * (1 - value / most)

    ends = apart([y(line.values[max(line.values)]) for line in drawn])
    shown = [*opening(title, _described(drawn), TOP + PLOT + BOTTOM, _style(len(drawn)))]
    shown += ['<text x="0" y="38">requests a second, over the number of connections</text>']
    for part in range(5):
        value = most * part / 4
        shown += [
            f'<path class="grid" d="M{LEFT} {y(value):.1f}H{WIDTH - NAMES}"/>',
            f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:,.0f}</text>',
        ]
    for number, at in x.items():
        shown += [
            f'<text x="{at:.1f}" y="{TOP + PLOT + 20}" text-anchor="middle">{number:,}</text>'
        ]
    right = WIDTH - NAMES + 10
    for index, (line, end) in enumerate(zip(drawn, ends, strict=True)):
        points = [
            f"{x[number]:.1f},{y(line.values[number]):.1f}" for number in sorted(line.values)
        ]
        own = " own" if line.label == ours else ""
        name = f"{escape(line.label)}: {line.values[max(line.values)]:,.0f}"
        shown += [
            f'<polyline class="c{index}{own}" points="{" ".join(points)}"/>',
            f'<text class="t{index}{own}" x="{right}" y="{end + 4:.1f}">{name}</text>',
        ]
    return "\n".join([*shown, "</svg>", ""])


def ceiling(most: float) -> float:
    """Return the end of an axis: 1, 2, 4 or 8 of a power of ten, not below `most`."""
    end = 1.0
    while end < most:
        for factor in (2, 4, 8, 10):
            if end * factor >= most or factor == 10:  # noqa: PLR2004, the next power
                end *= factor
                break
    return end


def apart(places: list[float]) -> list[float]:
    """Move places down from one another until two are `ROW` apart at least, in their order."""
    moved = list(places)
    least = float("-inf")
    for index in sorted(range(len(places)), key=lambda index: places[index]):
        moved[index] = max(places[index], least)
        least = moved[index] + ROW
    return moved


def _style(number: int) -> str:
    def of(theme: int) -> str:
        return "\n".join(
            f".c{index} {{ stroke: {colour}; }} .t{index} {{ fill: {colour}; }}"
            for index in range(number)
            for colour in [_COLOURS[index % len(_COLOURS)][theme]]
        )

    return f"{_STYLE}{of(0)}\n@media (prefers-color-scheme: dark) {{{_DARK}{of(1)}\n}}\n"


def _described(drawn: list[Line]) -> str:
    return "; ".join(
        f"{line.label}: "
        + ", ".join(f"{line.values[number]:,.0f} at {number}" for number in sorted(line.values))
        for line in drawn
    )
