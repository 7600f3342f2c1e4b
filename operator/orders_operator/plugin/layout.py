"""Tables without lines, like kubectl's, and parts with a shorter form for narrow terminals."""

from collections.abc import Collection

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_ANY_WIDTH = 10_000


def grid(*headings: str, right: Collection[str] = ()) -> Table:
    """Return an empty table.

    Args:
        headings: the columns' headings; the last column takes the remaining room, and wraps.
        right: the headings of columns that are aligned to the right, as numbers are.

    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(
            heading,
            justify="right" if heading in right else "left",
            no_wrap=heading != headings[-1],
            overflow="fold",
        )
    return table


def one_line(text: str) -> Text:
    """Return a text for the last column of a table, which is cut there rather than wrapped."""
    return Text(" ".join(text.split()), no_wrap=True, overflow="ellipsis")


class Responsive:
    """The full form if there is room for it, else the short one."""

    def __init__(self, full: RenderableType, short: RenderableType) -> None:
        self._full = full
        self._short = short

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Write the form that fits."""
        needed = Measurement.get(console, options.update(width=_ANY_WIDTH), self._full).maximum
        yield self._full if needed <= options.max_width else self._short
