"""The connections of callers: their number, idle ones that keep others out, answers unread.

The server accepts no more than its bound, and keeps an idle connection until its time-out. So a
flood of them would keep callers out for that long. Once there are nearly as many as there may be,
those are closed that have been idle for the longest. As a request has one deadline, a connection
on which nothing has come or gone for longer has none under way; nor has one on which nothing ever
came. They are found among the descriptors of the process, where the system knows them.

The server keeps what a caller does not read, for as long as the caller likes; of answers without a
body even those to requests that are still coming. So a connection is closed on which answers wait
and of which nothing is read for longer than a request may take.
"""

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Callable, Iterable, Mapping
from time import perf_counter, thread_time
from typing import Final, NamedTuple

from orders import descriptors

PERIOD: Final = 1.0
"""Seconds between two looks, unless one takes more than a hundredth of that."""
_COST: Final = 100
_STRIDE: Final = 128
"""Descriptors that are looked at before anything else has its turn."""
_NEARLY: Final = 0.9
"""The share of the bound from which on idle connections are closed,"""
_ENOUGH: Final = 0.75
"""until no more than this share is left."""
_SILENT: Final = 1.0
"""Seconds in which a caller sends something on a new connection."""

# struct tcp_info of Linux 4.6 and later: the state, ms since data was sent, ms since data came,
# bytes that the other end has taken, bytes that came, and bytes that wait to be sent.
_TCP_INFO: Final = struct.Struct("=B 43x I 4x I 64x Q Q 8x I")
_CONNECTED: Final = (1, 8)
"""TCP_ESTABLISHED and TCP_CLOSE_WAIT, in which the caller has said goodbye."""

log = logging.getLogger("orders.http")


class Seen(NamedTuple):
    """A connection as it was seen."""

    idle: float
    """Seconds for which nothing has come or gone."""
    descriptor: int
    read: int
    """Bytes that the caller has taken."""
    received: int
    """Bytes that came from it."""
    waits: bool
    """Whether answers wait for it."""


class Unread(NamedTuple):
    """A connection on which answers wait, as it was when the caller last read."""

    since: float
    read: int


class Connections:
    """Counts the connections of ports, and closes those that hold what others need."""

    def __init__(self, bounds: Mapping[str, tuple[int, int]], deadline: float) -> None:
        """Have looked at none.

        Args:
            bounds: local port, and how many connections it may have, by the name of the port.
            deadline: seconds that a request may take.

        """
        self.limits = {name: limit for name, (_, limit) in bounds.items()}
        self.open = dict.fromkeys(bounds, 0)
        self.closed = dict.fromkeys(bounds, 0)
        self._names = {port: name for name, (port, _) in bounds.items()}
        self._deadline = deadline
        self._told: set[str] = set()
        self._unread: dict[int, Unread] = {}

    async def watch(self) -> None:
        """Look again and again, for ever."""
        while True:
            started = thread_time()
            await self.look()
            await asyncio.sleep(max(PERIOD, (thread_time() - started) * _COST))

    async def look(self) -> None:
        """Count them, and close those that are too many, or do not read."""
        found: dict[str, list[Seen]] = {name: [] for name in self.limits}
        before, self._unread = self._unread, {}
        for number, descriptor in enumerate(descriptors.numbers()):
            if number % _STRIDE == 0:
                await asyncio.sleep(0)
            name, seen = self._see(descriptor)
            if seen is None:
                continue
            found[name].append(seen)
            if seen.waits:
                self._watch_unread(seen, before.get(descriptor))
        for name, connections in found.items():
            self.open[name] = len(connections)
            limit = self.limits[name]
            if len(connections) >= limit * _NEARLY:
                self._relieve(name, connections, len(connections) - int(limit * _ENOUGH))
            elif len(connections) <= limit * _ENOUGH:
                self._told.discard(name)

    def _relieve(self, name: str, connections: Iterable[Seen], too_many: int) -> None:
        """Close so many that are idle, the longest first; say so once for each flood."""
        idle = sorted((it for it in connections if self._is_idle(it)), reverse=True)[:too_many]
        closed = sum(map(self._close, idle))
        self.closed[name] += closed
        if name not in self._told:
            self._told.add(name)
            log.warning(
                "the %s port has %d connections of %d: %d that were idle are closed, more will be",
                name,
                self.open[name],
                self.limits[name],
                closed,
            )

    def _watch_unread(self, seen: Seen, before: Unread | None) -> None:
        """Close a connection on which answers have waited for too long."""
        now = perf_counter()
        if before is None or before.read != seen.read:
            before = Unread(now, seen.read)
        if now - before.since <= self._deadline:
            self._unread[seen.descriptor] = before
        else:
            self._see(seen.descriptor, close=lambda found: found.waits)

    def _is_idle(self, seen: Seen) -> bool:
        return seen.idle > (self._deadline + _SILENT if seen.received else _SILENT)

    def _close(self, seen: Seen) -> bool:
        """Close a connection, unless it is another one by now, or no longer idle."""
        _, now = self._see(seen.descriptor, close=self._is_idle)
        return now is not None

    def _see(
        self, descriptor: int, close: Callable[[Seen], bool] | None = None
    ) -> tuple[str, Seen | None]:
        """Return what a descriptor is; shut what is asked to be closed, if `close` says so."""
        connection = descriptors.duplicate(descriptor)
        if connection is None:
            return "", None
        with connection, contextlib.suppress(OSError):  # not TCP, or not connected any more
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
            state, sent, came, read, received, unsent = _TCP_INFO.unpack(info)
            name = self._names.get(connection.getsockname()[1], "")
            seen = Seen(min(sent, came) / 1000, descriptor, read, received, unsent > 0)
            if name and state in _CONNECTED and (close is None or close(seen)):
                if close:
                    connection.shutdown(socket.SHUT_RDWR)
                return name, seen
        return "", None
