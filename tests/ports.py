"""Free ports for servers that tests start, stop and start again."""

import itertools
import os
import socket

_FIRST = 20_000
_SPAN = 10_000
_next = itertools.count(os.getpid() * 37)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on, another one at each call.

    Below those that the system gives to clients: one of them could otherwise take the port of a
    server while it is stopped, by connecting to it, even to itself.
    """
    for number in itertools.islice(_next, _SPAN):
        port = _FIRST + number % _SPAN
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError("no port is free")
