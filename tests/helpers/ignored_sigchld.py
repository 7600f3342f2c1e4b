"""A parent that ignores SIGCHLD, as some shells and CI runners do; its children inherit that."""

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Be one for as long as the context lasts; start children in it, wait for them after it."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before)
