"""Tables without lines, like kubectl's own."""

from collections.abc import Collection

from rich.table import Table
from rich.text import Text


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
