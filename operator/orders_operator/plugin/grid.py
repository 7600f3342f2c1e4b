"""Tables without lines, as kubectl's own."""

from collections.abc import Collection

from rich.table import Table
from rich.text import Text


def grid(*headings: str, right: Collection[str] = ()) -> Table:
    """Return an empty table.

    Args:
        headings: of the columns; the last one takes what room is left, and wraps.
        right: which of them have numbers.

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
    """Return what goes into the last column of a table and is cut there."""
    return Text(" ".join(text.split()), no_wrap=True, overflow="ellipsis")
