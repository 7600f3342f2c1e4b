"""The connections of callers: their number, idle ones that keep others out, answers unread.

The server accepts no more than its bound, and keeps an idle connection until its time-out. So a
flood of them would keep callers out for that long. Once there are nearly as many as there may be,
those are closed that have been idle for the longest. As a request has one deadline, a connection
on which nothing has come or gone for longer has none under way; nor has one on which nothing ever
came. Before them those are closed on which a head has been coming for longer, a byte at a time
(`unanswered.py`). All are found among the descriptors of the process, where the system knows them.

With TLS the server takes whatever connects, and counts a connection only when its handshake is
done; until then it holds what came of the caller's messages, tens of KiB. So those beyond what may
be there are closed at once, first those that have sent most without an answer, then those that
were answered least. Their number is watched by the lowest descriptor that is free, which costs
next to nothing. For some seconds after such a flood one connection at a time may wait until it is
accepted, so that the system has the others try again.

The server keeps what a caller does not read, for as long as the caller likes; of answers without a
body even those to requests that are still coming. So a connection is closed on which answers wait
and of which nothing is read for longer than a request may take; at once if there is no memory for
what the server has of it (`budget.py`).
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
from orders.http.budget import Held
from orders.http.server import BACKLOG
from orders.http.shares import PLAIN, TLS, Transport
from orders.http.unanswered import Unanswered

if TYPE_CHECKING:
    from orders.http.budget import Budget

PERIOD: Final = 1.0
"""Seconds between two looks, unless one takes more than a hundredth of that."""
_COST: Final = 100
_LEAST: Final = 9
"""How often a look's time passes before the next one, even if there may be too many."""
_NEARLY: Final = 0.9
"""The share of the bound from which on idle connections are closed,"""
_ENOUGH: Final = 0.75
"""until no more than this share is left."""
_SILENT: Final = 1.0
"""Seconds in which a caller sends something on a new connection."""
_ALARM: Final = 0.02
"""Seconds between two looks at how many descriptors there are."""
_OTHERS: Final = 32
"""Descriptors that come later and are no connections of callers of the API."""
_CALM: Final = 5.0
"""Seconds without too many, after which a flood is over."""

# struct tcp_info of Linux 4.6 and later: the state, ms since data was sent, ms since data came,
# bytes that the other end has taken, bytes that came, and bytes that wait to be sent.
_TCP_INFO: Final = struct.Struct("=B 43x I 4x I 64x Q Q 8x I")
_CONNECTED: Final = (1, 8)
"""TCP_ESTABLISHED and TCP_CLOSE_WAIT, in which the caller has said goodbye."""

log = logging.getLogger("orders.http")


class Watched(NamedTuple):
    """A port."""

    number: int
    limit: int
    """Connections that a server on it accepts."""
    transport: Transport = PLAIN
    deadline: float = math.inf
    """Seconds that a request on it may take, if that is less than on the others."""

    @property
    def counted(self) -> int:
        """Connections that servers on it count at most."""
        return self.limit * self.transport.servers

    @property
    def most(self) -> int:
        """Connections that it may have with TLS, with those that no server counts yet."""
        handshake = self.transport.handshake
        return self.counted + self.limit * self.transport.connection // handshake

    def weight(self, connection: "Connection") -> int:
        """Return for how many connections one counts: a long greeting, for several."""
        return 1 + (connection.received // self.transport.handshake if connection.greets else 0)


class Connection(NamedTuple):
    """A connection as it was when it was inspected."""

    idle: float
    """Seconds for which nothing has come or gone."""
    descriptor: int
    read: int
    """Bytes that the caller has taken."""
    received: int
    """Bytes that came from it."""
    waits: bool
    """Whether answers wait for it."""
    greets: bool
    """Whether it was answered nothing although TLS answers the first message."""
    caller: descriptors.Address
    deadline: float

    @property
    def worth(self) -> tuple[bool, int]:
        """What is compared when some must go: the least goes first."""
        return not self.greets, -self.received if self.greets else self.read


class Unread(NamedTuple):
    """A connection on which answers wait, as it was when the caller last read."""

    since: float
    read: int
    held: Held
    """What the server has of it, once it was seen like that twice."""


class Connections:
    """Counts the connections of ports, and closes those that hold what others need."""

    def __init__(self, ports: Mapping[str, Watched], deadline: float, budget: "Budget") -> None:
        """Have looked at none.

        Args:
            ports: by name.
            deadline: seconds that a request may take.
            budget: what answers are charged to that are not read.

        """
        self.limits = {name: port.limit for name, port in ports.items()}
        self.open = dict.fromkeys(ports, 0)
        self.closed = dict.fromkeys(ports, 0)
        self._ports = ports
        self._names = {port.number: name for name, port in ports.items()}
        self._deadline = deadline
        self._budget = budget
        self._has_tls = any(port.transport is TLS for port in ports.values())
        counted = sum(port.counted for port in ports.values())
        self._alarm = descriptors.lowest_free() + counted + _OTHERS
        self._flooded: dict[str, float] = {}
        """When a port had too many for the last time, by perf_counter()."""
        self._told: set[str] = set()
        self._unread: dict[int, Unread] = {}
        self._unanswered = Unanswered()

    async def watch(self) -> None:
        """Look again and again, for ever."""
        while True:
            started = thread_time()
            if not await self.look():
                took = thread_time() - started
                await asyncio.sleep(took * _LEAST)
                await self._pause(max(PERIOD, took * _COST))

    async def _pause(self, seconds: float) -> None:
        """Wait, or until there are more descriptors than should be."""
        if not self._has_tls:
            await asyncio.sleep(seconds)
            return
        end = perf_counter() + seconds
        while perf_counter() < end and descriptors.lowest_free() <= self._alarm:  # noqa: ASYNC110
            await asyncio.sleep(_ALARM)  # nobody tells

    async def look(self) -> bool:
        """Count them, close those that are too many, or do not read; return whether some were."""
        by_port: dict[str, list[Connection]] = {name: [] for name in self.limits}
        before, self._unread = self._unread, {}
        self._unanswered.look(perf_counter())
        async for descriptor in descriptors.in_turns():
            name, connection = self._inspect(descriptor)
            if connection is None:
                continue
            by_port[name].append(connection)
            self._unanswered.see(
                descriptor, connection.caller, connection.read, connection.received
            )
            if connection.waits:
                self._watch_unread(connection, before.pop(descriptor, None))
        for unread in before.values():
            unread.held.release()
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
        """Have one connection at a time wait at a port until it is accepted."""
        if name not in self._flooded:
            self._set_backlog(name, 0)
        self._flooded[name] = perf_counter()

    def _end_throttle(self, name: str) -> None:
        """Have as many as ever wait, if the flood is over."""
        if perf_counter() - self._flooded.get(name, math.inf) > _CALM:
            del self._flooded[name]
            self._set_backlog(name, BACKLOG)

    def _set_backlog(self, name: str, backlog: int) -> None:
        for listener in descriptors.listening(self._ports[name].number):
            listener.listen(backlog)

    @staticmethod
    def _too_many(port: Watched, connections: Iterable[Connection]) -> list[Connection]:
        """Return those that go, as there are more than there may be."""
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
        """Close so many that are late or idle, the longest first."""
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
        """Close those that are still there, and to be closed; say so once for each flood."""
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

    def _watch_unread(self, connection: Connection, before: Unread | None) -> None:
        """Close a connection on which answers have waited for too long."""
        now = perf_counter()
        if before is None:
            before = Unread(now, connection.read, Held(self._budget))
        elif before.read != connection.read:
            before.held.release()
            before = Unread(now, connection.read, before.held)
        elif now - before.since > self._deadline or not (
            before.held.size or before.held.may_wait()
        ):
            before.held.release()
            self._inspect(connection.descriptor, close=lambda present: present.waits)
            return
        self._unread[connection.descriptor] = before

    def _is_of_no_use(self, connection: Connection) -> bool:
        """Whether it has no request under way, and did not begin one a moment ago."""
        longest = connection.deadline + _SILENT if connection.received else _SILENT
        return connection.idle > longest or self._is_late(connection)

    def _is_late(self, connection: Connection) -> bool:
        """Whether something began to come on it, and was not answered in time."""
        seconds = self._unanswered.seconds(connection.descriptor, connection.read, perf_counter())
        return seconds > connection.deadline + _SILENT

    def _inspect(
        self, descriptor: int, close: Callable[[Connection], bool] | None = None
    ) -> tuple[str, Connection | None]:
        """Return what a descriptor is; shut what is asked to be closed, if `close` says so."""
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
