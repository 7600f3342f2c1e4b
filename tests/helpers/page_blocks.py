"""The shell blocks of pages, which tests take from there and run as they stand.

`tests/docs/test_commands.py` reads the calls of `block` in all tests: a block that no test takes
is one that nobody runs.
"""

from tests.helpers.paths import ROOT
from tools.site.markdown import blocks


def shell_blocks(page: str, language: str = "sh") -> list[str]:
    """Return the shell blocks of a page, in order; with `console` those that show output too."""
    found = blocks((ROOT / page).read_text("utf-8"))
    return [block.text for block in found if block.language == language]


def block(page: str, begins: str, language: str = "sh") -> str:
    """Return the one shell block of a page that begins with this text."""
    found = [text for text in shell_blocks(page, language) if text.startswith(begins)]
    assert 1 == len(found), f"{page} has {len(found)} blocks that begin with {begins!r}"
    return found[0]
