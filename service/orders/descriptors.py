"""The descriptors of the process: how many there may be, and the sockets among them.

Neither the driver nor the server shows its sockets. So they are found among the descriptors, and a
duplicate of each is inspected or shut: if one is closed meanwhile and another gets its number, the
other is left alone. Nothing is found on systems other than Linux.
"""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Final

_DESCRIPTORS: Final = "/proc/self/fd"
Address = tuple[str, int]
"""Host and port of one end of a connection."""
_STRIDE: Final = 128
"""Descriptors that are looked at before anything else has its turn."""


def raise_limit() -> int:
    """Raise the soft limit of descriptors to the hard one; return what it is then."""
    import resource  # noqa: PLC0415  it is not on every system

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS has no use for its own infinity
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def lowest_free() -> int:
    """Return the lowest number that no descriptor has: there are as many, or more."""
    try:
        descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return sys.maxsize
    os.close(descriptor)
    return descriptor


def numbers() -> list[int]:
    """Return the descriptors that are open."""
    if sys.platform != "linux":
        return []
    with os.scandir(_DESCRIPTORS) as entries:
        return [int(entry.name) for entry in entries]


async def in_turns() -> AsyncIterator[int]:
    """Yield the descriptors that are open; whatever else waits has its turn among them."""
    for number, descriptor in enumerate(numbers()):
        if number % _STRIDE == 0:
            await asyncio.sleep(0)
        yield descriptor


def duplicate(descriptor: int) -> socket.socket | None:
    """Return a duplicate of a descriptor, to be closed, as if it were of a TCP socket.

    Returns:
        None if it is of no socket, or was closed meanwhile.

    """
    try:
        copy = os.dup(descriptor)
    except OSError:
        return None
    try:
        return socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 0, copy)
    except OSError:
        os.close(copy)
        return None


def sockets() -> Iterator[socket.socket]:
    """Yield a duplicate of each socket, which is closed when the next one has its turn."""
    for descriptor in numbers():
        copy = duplicate(descriptor)
        if copy is not None:
            with copy:
                yield copy


def listening(port: int) -> Iterator[socket.socket]:
    """Yield duplicates of the sockets that listen on a port."""
    for candidate in sockets():
        with contextlib.suppress(OSError):
            is_listening = candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if is_listening and candidate.getsockname()[1] == port:
                yield candidate
