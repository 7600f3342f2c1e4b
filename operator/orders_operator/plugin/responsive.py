"""A screen's part that has a shorter form for narrow terminals."""

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement

_ANY_WIDTH = 10_000


class Responsive:
    """The full form where there is room for it, else the short one."""

    def __init__(self, full: RenderableType, short: RenderableType) -> None:
        """Take both."""
        self._full = full
        self._short = short

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Write the one that fits."""
        needed = Measurement.get(console, options.update(width=_ANY_WIDTH), self._full).maximum
        yield self._full if needed <= options.max_width else self._short
