"""Divides the memory of the process between the process itself, connections, and requests.

The process may use `MEMORY_LIMIT`. From that are subtracted what it holds at rest, what it needs
later whoever calls, and for each connection that is accepted what that may make it hold: the
server's buffers with a head in them, and an ordinary read or create that waits. So those are never
refused for lack of memory. The rest is for whatever can be larger (`budget.py`).
"""

from typing import Final, NamedTuple

HEAD: Final = 16 * 1024
"""The most bytes of a head, and of the server's buffer of a connection."""
_LATER: Final = 44 * 1024 * 1024
"""Bytes that a process which has just started needs later: the server's threads and the database's
connections (8 MiB), Litestar (14), a body while it is decoded and a batch on its way to the
database (6), spans that wait (8), lines of the log that wait (4), tokens that are remembered,
scrapes, and what the allocator keeps."""
_CONNECTIONS_SHARE: Final = 0.5
_FEWEST_CONNECTIONS: Final = 64
_LEAST: Final = 6 * 1024 * 1024


class Transport(NamedTuple):
    """What connections cost, in bytes; measured: see docs/architecture.md."""

    connection: int
    """A connection with an unfinished head, or with an ordinary call that waits."""
    arriving: int
    """What the server also buffers of a body that is still arriving."""
    unread: int
    """What the server also buffers of small answers that the caller does not read."""
    servers: int = 1
    """How many servers may each have as many connections as are accepted."""
    handshake: int = 0
    """A connection that no server counts yet, with what has arrived of its first message."""


PLAIN: Final = Transport(36 * 1024, 24 * 1024, 24 * 1024)
TLS: Final = Transport(56 * 1024, 48 * 1024, 96 * 1024, servers=2, handshake=32 * 1024)
"""TLS buffers whole records; there are two servers while certificates are replaced."""


class Shares(NamedTuple):
    """The share of connections and of requests."""

    connections: int
    """How many connections a server may accept."""
    requests: int
    """Bytes of the budget for charged requests."""
    enough: bool
    """Whether the limit has room for the minimum of both."""


def divide(limit: int, resting: int, transport: Transport = PLAIN) -> Shares:
    """Divide the memory that the process may use.

    Args:
        limit: bytes in total.
        resting: bytes that the process holds before the first request.
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
