"""Paragraphs and tables in Markdown, with this service's rows in bold."""

import textwrap
from collections.abc import Iterable, Iterator

from bench.servers import ORDERS
from bench.summary import Summary


def heading(title: str, text: str = "") -> Iterator[str]:
    """Give the lines of a heading of the second level, and of a paragraph below it."""
    yield f"## {title}"
    yield ""
    if text:
        yield from paragraph(text)


def paragraph(text: str) -> Iterator[str]:
    """Give the lines of a paragraph and an empty one."""
    yield from textwrap.wrap(text, 95, break_long_words=False, break_on_hyphens=False)
    yield ""


def table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """Give the lines of a table and an empty one; the first column is text, the others numbers."""
    yield f"| {' | '.join(head)} |"
    yield f"|---|{'---:|' * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def strong(summary: Summary, server: str) -> str:
    """Return the server's title, in bold if it is this service."""
    title = summary.titles[server]
    return f"**{title}**" if server == ORDERS else title
