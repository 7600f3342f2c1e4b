"""Free ports for servers that tests start, stop and start again.

Two servers on one port share its requests, as the service binds it with SO_REUSEPORT. So no two
runs or workers on a machine are given the same: each locks a block of ports while it runs.
"""

import itertools
import os
import socket
import tempfile
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

_FIRST = 20_000
_BLOCK = 250
_BLOCKS = 40
_LOCKS = Path(tempfile.gettempdir()) / f"orders-tests-ports-{os.getuid()}"


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on, another one at each of many calls.

    Below those that the system gives to clients: one of them could otherwise take the port of a
    server while it is stopped, by connecting to it, even to itself.
    """
    _, ports = _block()
    for port in itertools.islice(ports, _BLOCK):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError("no port is free")


@cache
def _block() -> tuple[FileLock, "itertools.cycle[int]"]:
    """Return the lock of a block that is this process' own, and its ports."""
    _LOCKS.mkdir(exist_ok=True)
    for number in range(_BLOCKS):
        lock = FileLock(_LOCKS / str(number))
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue
        first = _FIRST + number * _BLOCK
        return lock, itertools.cycle(range(first, first + _BLOCK))
    raise RuntimeError("no block of ports is free")
