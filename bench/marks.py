"""Puts measured figures between two marks of a page that is written by hand."""

from collections.abc import Iterable
from pathlib import Path


def fill(page: Path, name: str, command: str, lines: Iterable[str]) -> None:
    """Replace the text between the marks of a name; ValueError if the page has no such marks."""
    begin, end = f"<!-- {name}: made by `{command}` -->", f"<!-- end of {name} -->"
    before, _, rest = page.read_text().partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        raise ValueError(f"{page.name} has no {begin} ... {end}")
    made = "\n".join(lines)
    page.write_text(f"{before}{begin}\n\n{made}\n{end}{after}")
