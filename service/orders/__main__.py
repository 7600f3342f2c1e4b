"""The program: `orders`, or `python -m orders`. It handles signals first, then imports the rest.

The first process of a container has no default signal actions: a SIGTERM without a handler is
dropped, and the container is killed when its grace period ends. The imports take a quarter of a
second, so the handlers are set before them, and end the process at once, because nothing has begun
yet. Python itself takes some time before that; a signal that arrives then is kept if the process
was started with the signals blocked (`env --block-signal=TERM,INT orders serve`), and is handled
here.
"""

import os
import signal
import sys
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from types import FrameType

_SERVING: Final = frozenset(("serve", "dev"))
"""The commands that exit with 0 on a signal."""


def run() -> int:
    """Run the command line; return the exit status."""
    _heed(serving=not _SERVING.isdisjoint(sys.argv[1:2]))
    from orders.cli import main  # noqa: PLC0415  see the module's docstring

    return main()


def _heed(*, serving: bool) -> None:
    """Let signals end the process until a command sets its own handlers."""

    def leave(number: int, _: "FrameType | None") -> NoReturn:
        os._exit(0 if serving else 128 + number)

    signal.signal(signal.SIGTERM, leave)
    if serving:  # in other commands it raises KeyboardInterrupt, from Python's start
        signal.signal(signal.SIGINT, leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))


if __name__ == "__main__":
    sys.exit(run())
