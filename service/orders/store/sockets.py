"""Shuts a socket of the driver, which itself closes one only after it has heard from the server.

psqlpy does not show its sockets, and a connect that was given up lives on in one, for ever if a
load balancer swallowed the connection. So each connection has a TCP_USER_TIMEOUT of its own, a
millisecond apart from the others', by which its socket is found. Unix sockets cannot be found.
"""

import contextlib
import socket
from typing import Final

from orders import descriptors

_SHORTEST: Final = 10_000  # ms that sent data may stay unacknowledged
_MARKS: Final = range(_SHORTEST, _SHORTEST + 5_000)

_taken: set[int] = set()
_next = 0


def take_mark() -> int:
    """Return a TCP_USER_TIMEOUT in milliseconds that no other connection of this process has."""
    global _next  # noqa: PLW0603  one counter for one process, as the descriptors are
    while True:
        mark = _MARKS[_next % len(_MARKS)]
        _next += 1
        if mark not in _taken or len(_taken) >= len(_MARKS):
            _taken.add(mark)
            return mark


def give_back(mark: int) -> None:
    """Let another connection have a mark whose socket is gone."""
    _taken.discard(mark)


def shut(mark: int) -> None:
    """Shut the TCP socket that has this mark, if there is one; the driver then drops it."""
    for candidate in descriptors.sockets():
        with contextlib.suppress(OSError):  # not TCP, or not connected any more
            if candidate.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == mark:
                candidate.shutdown(socket.SHUT_RDWR)
