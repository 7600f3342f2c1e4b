"""The parts of this tree's pages: headings with anchors, links, fenced blocks.

This is no Markdown parser: it reads the subset that is written here, so that the site, the test of
links and the tests of snippets agree. Code, fenced or inline, has no links.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

_FENCE: Final = r"^(?P<indent> *)```(?P<language>[a-z]*)\n(?P<text>.*?)^(?P=indent)```$"
_LINK: Final = r"(?P<label>!?\[[^\]]*\])\((?P<target>[^)\s]+)\)"
_BLOCK: Final = re.compile(_FENCE, re.MULTILINE | re.DOTALL)
_CODE_OR_LINK: Final = re.compile(rf"{_FENCE}|{_LINK}|``.+?``|`[^`]+`", re.MULTILINE | re.DOTALL)
_HEADING: Final = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_INDENTED: Final = re.compile(r"^(?=  )", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block."""

    language: str
    text: str
    line: int
    """The line number of its first line of text, from 1."""


def blocks(page: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page, without the indent that a list gives them."""
    for match in _BLOCK.finditer(page):
        indent = match["indent"]
        text = re.sub(f"^{indent}", "", match["text"], flags=re.MULTILINE)
        yield Block(match["language"], text, page.count("\n", 0, match.start("text")) + 1)


def links(page: str) -> list[str]:
    """Return the targets of links and images, in order."""
    return [match["target"] for match in _CODE_OR_LINK.finditer(page) if match["target"]]


def relinked(page: str, target_of: Callable[[str], str]) -> str:
    """Return a page with another target for each link."""

    def change(match: re.Match[str]) -> str:
        target = match["target"]
        return f"{match['label']}({target_of(target)})" if target else match[0]

    return _CODE_OR_LINK.sub(change, page)


def slug(heading: str) -> str:
    """Return the anchor that GitHub and the site give the first heading of this text."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings; a repeated one has its number, as on GitHub."""
    given: Counter[str] = Counter()
    names = set()
    for heading in _HEADING.findall(_BLOCK.sub("", page)):
        anchor = slug(heading)
        names.add(f"{anchor}-{given[anchor]}" if given[anchor] else anchor)
        given[anchor] += 1
    return names


def four_spaces(page: str) -> str:
    """Return a page with lists indented by four, as Python-Markdown requires, not by two."""
    parts = []
    end = 0
    for match in _BLOCK.finditer(page):
        parts.append(_INDENTED.sub("  ", page[end : match.start()]))
        parts.append(_INDENTED.sub("  ", match[0]) if match["indent"] else match[0])
        end = match.end()
    return "".join([*parts, _INDENTED.sub("  ", page[end:])])
