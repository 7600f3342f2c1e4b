"""A part of a screen with a shorter form for narrow terminals."""

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement

_ANY_WIDTH = 10_000


class Responsive:
    """The full form if there is room for it, else the short one."""

    def __init__(self, full: RenderableType, short: RenderableType) -> None:
        """Take both forms."""
        self._full = full
        self._short = short

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Write the form that fits."""
        needed = Measurement.get(console, options.update(width=_ANY_WIDTH), self._full).maximum
        yield self._full if needed <= options.max_width else self._short
