"""Shuts a socket of the driver, which waits for the server's word before it closes one itself.

psqlpy shows no socket, and a connect that was given up lives on in it, for ever if a load balancer
swallowed the connection. So each connection has a TCP_USER_TIMEOUT of its own, a millisecond apart
from the others', and is found by that among the descriptors of the process. A duplicate of the
descriptor is asked and shut, so one that the driver closes meanwhile, and another thread is given
anew, is left alone. On other systems than Linux, and for Unix sockets, nothing is found.
"""

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from typing import Final

_SHORTEST: Final = 10_000  # ms that sent data may stay unacknowledged
_MARKS: Final = range(_SHORTEST, _SHORTEST + 5_000)
_DESCRIPTORS: Final = "/proc/self/fd"

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
    if sys.platform != "linux":
        return
    for found in _sockets():
        with contextlib.suppress(OSError):  # not TCP, or not connected any more
            if found.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == mark:
                found.shutdown(socket.SHUT_RDWR)


def _sockets() -> Iterator[socket.socket]:
    """Yield a duplicate of each descriptor, which is closed again, as if all were TCP sockets."""
    with os.scandir(_DESCRIPTORS) as entries:
        descriptors = [int(entry.name) for entry in entries]
    for descriptor in descriptors:
        try:
            duplicate = os.dup(descriptor)
        except OSError:  # closed meanwhile
            continue
        try:
            found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, duplicate)
        except OSError:  # no socket
            os.close(duplicate)
            continue
        with found:
            yield found
