"""The program: `orders`, or `python -m orders`. Heeds signals first, then imports all the rest.

The first process of a container has no default actions: a SIGTERM for which it has no handler is
dropped, and the container killed when its grace period ends. The imports take a quarter of a
second, so the handlers come before them, and end the process at once: nothing has begun. Python
itself takes its time before that; a signal that comes then is kept if the process was started with
the signals blocked (`env --block-signal=TERM,INT orders serve`), and heeded here.
"""

import os
import signal
import sys
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from types import FrameType

_SERVING: Final = frozenset(("serve", "dev"))
"""The commands that a signal ends as it should, with 0."""


def run() -> int:
    """Run the command line; return the exit status."""
    _heed(serving=not _SERVING.isdisjoint(sys.argv[1:2]))
    from orders.cli import main  # noqa: PLC0415  see the module's docstring

    return main()


def _heed(*, serving: bool) -> None:
    """Have signals end the process, until a command has handlers of its own."""

    def leave(number: int, _: "FrameType | None") -> NoReturn:
        os._exit(0 if serving else 128 + number)

    signal.signal(signal.SIGTERM, leave)
    if serving:  # to other commands it is a KeyboardInterrupt, from Python's first moment
        signal.signal(signal.SIGINT, leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))


if __name__ == "__main__":
    sys.exit(run())
