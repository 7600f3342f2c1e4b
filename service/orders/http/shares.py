"""How the memory of the process is divided between what it is, connections, and requests.

The process may have `MEMORY_LIMIT`. Off that goes what it has when nobody calls, what comes to it
later whoever calls, and what each connection may make it hold, times as many as are accepted: the
server's buffers with a head in them, and an ordinary read or create that waits. So those are never
refused for lack of memory. The rest is for what can be larger (`budget.py`).
"""

from typing import Final, NamedTuple

HEAD: Final = 16 * 1024
"""Bytes of a head at most: what the server's buffer of a connection may have."""
_LATER: Final = 44 * 1024 * 1024
"""Bytes that come to a process that has just started: the server's threads and the database's
connections (8 MiB), Litestar (14), a body while it is decoded and a batch on its way to the
database (6), spans that wait (8), lines of the log that wait (4), tokens that are remembered,
scrapes, and what the allocator keeps."""
_CONNECTIONS_SHARE: Final = 0.5
_FEWEST_CONNECTIONS: Final = 64
_LEAST: Final = 6 * 1024 * 1024


class Transport(NamedTuple):
    """What connections cost, in bytes; measured: see docs/architecture.md."""

    connection: int
    """One with an unfinished head, or with an ordinary call that waits."""
    arriving: int
    """What the server has besides of a body that is still coming,"""
    unread: int
    """and of small answers that the caller does not read."""
    servers: int = 1
    """How many servers have as many connections as are accepted."""
    handshake: int = 0
    """One that no server counts yet, and what may have come of its first message."""


PLAIN: Final = Transport(36 * 1024, 24 * 1024, 24 * 1024)
TLS: Final = Transport(56 * 1024, 48 * 1024, 96 * 1024, servers=2, handshake=32 * 1024)
"""Records wait to be whole, or to be sent; there are two while certificates are replaced."""


class Shares(NamedTuple):
    """What each has."""

    connections: int
    """How many connections a server may accept."""
    requests: int
    """Bytes for what is charged."""
    enough: bool
    """Whether the limit has room for the least of both."""


def divide(limit: int, resting: int, transport: Transport = PLAIN) -> Shares:
    """Divide what the process may have.

    Args:
        limit: bytes for all of it.
        resting: bytes that it has before the first request.
        transport: what connections cost.

    """
    free = limit - resting - _LATER
    connections = int(free * _CONNECTIONS_SHARE) // (transport.connection * transport.servers)
    requests = int(free * (1 - _CONNECTIONS_SHARE))
    return Shares(
        max(connections, _FEWEST_CONNECTIONS),
        max(requests, _LEAST),
        connections >= _FEWEST_CONNECTIONS and requests >= _LEAST,
    )
