"""Free ports for servers that tests start, stop and start again.

Two servers on one port share its requests, as the service binds it with SO_REUSEPORT. So no two
runs or workers on a machine are given the same: each locks a number while it runs, and has a block
of ports by it.
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
    for port in itertools.islice(_ports(), _BLOCK):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError("no port is free")


def own_number() -> int:
    """Return a number below 40 that no other process of tests on this machine has."""
    return _locked()[1]


@cache
def _ports() -> "itertools.cycle[int]":
    first = _FIRST + own_number() * _BLOCK
    return itertools.cycle(range(first, first + _BLOCK))


@cache
def _locked() -> tuple[FileLock, int]:
    """Lock a number while this process runs."""
    _LOCKS.mkdir(exist_ok=True)
    for number in range(_BLOCKS):
        lock = FileLock(_LOCKS / str(number))
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue
        return lock, number
    raise RuntimeError("no block of ports is free")
