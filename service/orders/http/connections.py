"""The connections of callers: how many there are, and which are closed for the others' sake.

The server accepts no more connections than its bound, and keeps an idle one until its timeout. So
a flood of idle connections would keep callers out for that long. Once nearly as many are open as
may be, the ones that have been idle longest are closed. A request has one deadline, so a
connection on which no byte has moved for longer carries no request; nor does one on which nothing
ever came. Connections on which a head has been coming for longer, a byte at a time
(`unanswered.py`), are closed before these. All are found among the descriptors of the process.

With TLS the server takes whatever connects, and counts a connection only once its handshake is
done; until then it holds what the caller has sent, tens of KiB. So connections beyond what may be
open are closed at once: first those that have sent most without an answer, then those that were
answered least. The lowest free descriptor shows their number, which costs next to nothing. For
some seconds after such a flood only one connection at a time may wait to be accepted, so that the
system makes the others try again.

A connection whose caller does not read its answers is closed, too (`unread.py`).
"""

import asyncio
import contextlib
import logging
import math
import socket
import struct
from collections.abc import Callable, Iterable, Mapping
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Final, NamedTuple

from orders import descriptors
from orders.http.server import BACKLOG
from orders.http.shares import PLAIN, TLS, Transport
from orders.http.unanswered import Unanswered
from orders.http.unread import Unread

if TYPE_CHECKING:
    from orders.http.budget import Budget

PERIOD: Final = 1.0
"""Seconds between two looks, unless one takes more than a hundredth of that."""
_COST: Final = 100
_LEAST: Final = 9
"""The least pause before the next look, in times of the last one's own time."""
_NEARLY: Final = 0.9
"""The share of the bound from which on idle connections are closed."""
_ENOUGH: Final = 0.75
"""The share of the bound at which that stops."""
_SILENT: Final = 1.0
"""Seconds that a caller has to send something on a new connection."""
_ALARM: Final = 0.02
"""Seconds between two looks at how many descriptors there are."""
_OTHERS: Final = 32
"""Descriptors opened later that are not connections of the API's callers."""
_CALM: Final = 5.0
"""Seconds without too many connections after which a flood is over."""

# struct tcp_info of Linux 4.6 and later: the state, ms since data was sent, ms since data came,
# bytes that the other end has acknowledged, bytes that came, and bytes that wait to be sent.
_TCP_INFO: Final = struct.Struct("=B 43x I 4x I 64x Q Q 8x I")
_CONNECTED: Final = (1, 8)
"""TCP_ESTABLISHED, and TCP_CLOSE_WAIT, in which the caller has closed its end."""

log = logging.getLogger("orders.http")


class Watched(NamedTuple):
    """A port whose connections are watched."""

    number: int
    limit: int
    """Connections that a server on it accepts."""
    transport: Transport = PLAIN
    deadline: float = math.inf
    """Seconds that a request on it may take, if fewer than on the others."""

    @property
    def counted(self) -> int:
        """The most connections that servers on it count."""
        return self.limit * self.transport.servers

    @property
    def most(self) -> int:
        """The most connections that it may have with TLS, including those not yet counted."""
        handshake = self.transport.handshake
        return self.counted + self.limit * self.transport.connection // handshake

    def weight(self, connection: "Connection") -> int:
        """Return as how many a connection counts: one with a long greeting counts as several."""
        return 1 + (connection.received // self.transport.handshake if connection.greets else 0)


class Connection(NamedTuple):
    """A connection as it was when it was inspected."""

    idle: float
    """Seconds since the last byte came or went."""
    descriptor: int
    read: int
    """Bytes that the caller has taken."""
    received: int
    """Bytes that came from it."""
    waits: bool
    """Whether answers wait to be sent."""
    greets: bool
    """Whether it speaks TLS and has had no answer yet, so that its handshake is not done."""
    caller: descriptors.Address
    deadline: float

    @property
    def worth(self) -> tuple[bool, int]:
        """The sort key for closing connections: the least goes first."""
        return not self.greets, -self.received if self.greets else self.read


class Connections:
    """Counts the connections of ports, and closes those that hold what others need."""

    def __init__(self, ports: Mapping[str, Watched], deadline: float, budget: "Budget") -> None:
        """Start without connections.

        Args:
            ports: by name.
            deadline: seconds that a request may take.
            budget: charged for answers that are not read.

        """
        self.limits = {name: port.limit for name, port in ports.items()}
        self.open = dict.fromkeys(ports, 0)
        self.closed = dict.fromkeys(ports, 0)
        self._ports = ports
        self._names = {port.number: name for name, port in ports.items()}
        self._deadline = deadline
        self._has_tls = any(port.transport is TLS for port in ports.values())
        counted = sum(port.counted for port in ports.values())
        self._alarm = descriptors.lowest_free() + counted + _OTHERS
        self._flooded: dict[str, float] = {}
        """When a port last had too many, by perf_counter()."""
        self._told: set[str] = set()
        self._unread = Unread(deadline, budget)
        self._unanswered = Unanswered()

    async def watch(self) -> None:
        """Check connections, with pauses, for ever."""
        while True:
            started = thread_time()
            if not await self.look():
                took = thread_time() - started
                await asyncio.sleep(took * _LEAST)
                await self._pause(max(PERIOD, took * _COST))

    async def _pause(self, seconds: float) -> None:
        """Wait, but only until there are more descriptors than there should be."""
        if not self._has_tls:
            await asyncio.sleep(seconds)
            return
        end = perf_counter() + seconds
        while perf_counter() < end and descriptors.lowest_free() <= self._alarm:  # noqa: ASYNC110
            await asyncio.sleep(_ALARM)  # there is no event for it

    async def look(self) -> bool:
        """Count connections, and close what has to be closed; return whether a port is flooded."""
        by_port: dict[str, list[Connection]] = {name: [] for name in self.limits}
        self._unread.begin()
        self._unanswered.look(perf_counter())
        async for descriptor in descriptors.in_turns():
            name, connection = self._inspect(descriptor)
            if connection is None:
                continue
            by_port[name].append(connection)
            self._unanswered.see(
                descriptor, connection.caller, connection.read, connection.received
            )
            if connection.waits and self._unread.is_to_close(descriptor, connection.read):
                self._inspect(descriptor, close=lambda present: present.waits)
        self._unread.end()
        flooded = False
        for name, connections in by_port.items():
            self.open[name] = len(connections)
            limit = self.limits[name]
            if too_many := self._too_many(self._ports[name], connections):
                flooded = True
                self._throttle(name)
                self._close_some(name, "not let in", too_many, lambda _: True)
                continue
            self._end_throttle(name)
            if len(connections) >= limit * _NEARLY:
                self._relieve(name, connections, len(connections) - int(limit * _ENOUGH))
            elif len(connections) <= limit * _ENOUGH:
                self._told.discard(name)
        return flooded

    def _throttle(self, name: str) -> None:
        """Let one connection at a time wait at a port until it is accepted."""
        if name not in self._flooded:
            self._set_backlog(name, 0)
        self._flooded[name] = perf_counter()

    def _end_throttle(self, name: str) -> None:
        """Let as many as usual wait, if the flood is over."""
        if perf_counter() - self._flooded.get(name, math.inf) > _CALM:
            del self._flooded[name]
            self._set_backlog(name, BACKLOG)

    def _set_backlog(self, name: str, backlog: int) -> None:
        for listener in descriptors.listening(self._ports[name].number):
            listener.listen(backlog)

    @staticmethod
    def _too_many(port: Watched, connections: Iterable[Connection]) -> list[Connection]:
        """Return the connections to close because there are more than there may be."""
        if not port.transport.handshake:
            return []  # the server counts all of them
        surplus = sum(map(port.weight, connections)) - port.most
        excess = []
        for connection in sorted(connections, key=lambda connection: connection.worth):
            if surplus <= 0:
                break
            excess.append(connection)
            surplus -= port.weight(connection)
        return excess

    def _relieve(self, name: str, connections: Iterable[Connection], too_many: int) -> None:
        """Close up to `too_many` connections: late ones first, then those idle for longest."""
        useless = [each for each in connections if self._is_of_no_use(each)]
        useless.sort(key=lambda each: (self._is_late(each), each), reverse=True)
        self._close_some(name, "idle", useless[:too_many], self._is_of_no_use)

    def _close_some(
        self,
        name: str,
        which: str,
        connections: Iterable[Connection],
        close: Callable[[Connection], bool],
    ) -> None:
        """Close those that are still open and still to be closed; log it once per flood."""
        closed = sum(
            self._inspect(each.descriptor, close=close)[1] is not None for each in connections
        )
        self.closed[name] += closed
        if name not in self._told:
            self._told.add(name)
            log.warning(
                "the %s port has %d of %d connections: closed %d that were %s; more may follow",
                name,
                self.open[name],
                self.limits[name],
                closed,
                which,
            )

    def _is_of_no_use(self, connection: Connection) -> bool:
        """Whether it carries no request, and did not just begin one."""
        longest = connection.deadline + _SILENT if connection.received else _SILENT
        return connection.idle > longest or self._is_late(connection)

    def _is_late(self, connection: Connection) -> bool:
        """Whether something began to come on it and was not answered in time."""
        seconds = self._unanswered.seconds(connection.descriptor, connection.read, perf_counter())
        return seconds > connection.deadline + _SILENT

    def _inspect(
        self, descriptor: int, close: Callable[[Connection], bool] | None = None
    ) -> tuple[str, Connection | None]:
        """Return the port and the connection of a descriptor; shut it if `close` says so."""
        sock = descriptors.duplicate(descriptor)
        if sock is None:
            return "", None
        with sock, contextlib.suppress(OSError):  # not TCP, or not connected any more
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
            state, sent, came, read, received, unsent = _TCP_INFO.unpack(info)
            name = self._names.get(sock.getsockname()[1])
            if name is None or state not in _CONNECTED:
                return "", None
            greets = self._ports[name].transport is TLS and not read
            deadline = min(self._deadline, self._ports[name].deadline)
            idle, caller = min(sent, came) / 1000, sock.getpeername()[:2]
            connection = Connection(
                idle, descriptor, read, received, unsent > 0, greets, caller, deadline
            )
            if close is None or close(connection):
                if close:
                    sock.shutdown(socket.SHUT_RDWR)
                return name, connection
        return "", None
