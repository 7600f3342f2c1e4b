"""A bar chart as SVG: one bar for each server, the longest for the most requests a second.

Written by hand since it is all the drawing there is. Colours follow the reader's light or dark
setting.
"""

from xml.sax.saxutils import escape

WIDTH = 760
LABELS = 190
VALUES = 80
ROW = 30
BAR = 18
TOP = 58

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 15px; }
.note { fill: #59636e; font-size: 12px; }
.ours { fill: #0969da; }
.peer { fill: #afb8c1; }
.own { font-weight: 600; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .note { fill: #9198a1; }
  .ours { fill: #4493f8; }
  .peer { fill: #545d68; }
}
"""


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


def bars(title: str, note: str, values: list[tuple[str, float]], ours: str) -> str:
    """Draw (label, value) pairs from the top down; the bar labelled `ours` stands out."""
    height = TOP + ROW * len(values) + 8
    most = max((value for _, value in values), default=0) or 1
    described = "; ".join(f"{label}: {value:,.0f}" for label, value in values)
    lines = [
        *opening(title, described, height, _STYLE),
        f'<text class="note" x="0" y="38">{escape(note)}</text>',
    ]
    for index, (label, value) in enumerate(values):
        y = TOP + index * ROW
        length = (WIDTH - LABELS - VALUES) * value / most
        kind, weight = ("ours", ' class="own"') if label == ours else ("peer", "")
        base = y + BAR - 4
        lines += [
            f'<text{weight} x="{LABELS - 10}" y="{base}" text-anchor="end">{escape(label)}</text>',
            f'<rect class="{kind}" x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR}"/>',
            f'<text{weight} x="{LABELS + length + 8:.1f}" y="{base}">{value:,.0f}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
