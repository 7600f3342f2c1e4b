"""Output of screens: a terminal has colours and its own width, anything else plain lines."""

import io
import os
import sys
from typing import Final

from rich.console import Console, RenderableType

PLAIN_WIDTH: Final = 120
"""The columns without a terminal, unless COLUMNS says otherwise."""


def console() -> Console:
    """Return a console on stdout; a character that its encoding lacks becomes a question mark."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    return Console(highlight=False, soft_wrap=False)


def show(screen: RenderableType) -> None:
    """Write a screen once."""
    out = console()
    if out.is_terminal:
        out.print(screen)
    else:
        sys.stdout.write(plain(screen, _columns()))


def plain(screen: RenderableType, width: int) -> str:
    """Return a screen as text without colours, and without blanks at the ends of lines."""
    file = io.StringIO()
    Console(file=file, width=width, color_system=None, highlight=False).print(screen)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


def _columns() -> int:
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isdigit() and int(given) else PLAIN_WIDTH
