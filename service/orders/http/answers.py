"""Large answers in flight: charged until the system has sent them, or their caller is gone.

The server takes an answer at once, whether or not its caller reads it, and does not report when it
is sent. So this module inspects the sockets of callers with large answers, among the descriptors
of the process, for data that still waits. `connections.py` closes those of callers that do not
read at all.

A caller may read slowly; its answer is charged for as long as that takes. But when other requests
are refused for lack of memory, callers that have taken longer than a request may take are closed
one by one, the slowest first.
"""

import array
import asyncio
import contextlib
import fcntl
import socket
import sys
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Final, NamedTuple

from orders import descriptors
from orders.descriptors import Address

if TYPE_CHECKING:
    from orders.http.budget import Budget


SMALL: Final = 32 * 1024
"""Bytes of an answer that are not charged: each socket has as much."""

_PERIOD: Final = 0.1
_COST: Final = 20
_SIOCOUTQ: Final = 0x5411


class _Unread(NamedTuple):
    """What a caller was sent and has not read."""

    size: int
    since: float
    """When the last of it was sent, by perf_counter()."""


class Answers:
    """The answers that callers have not read."""

    def __init__(self, budget: "Budget", port: int, deadline: float) -> None:
        """Start without answers.

        Args:
            budget: charged for them.
            port: the local port of callers.
            deadline: seconds that reading an answer may take if others need its memory.

        """
        self._budget = budget
        self._port = port
        self._deadline = deadline
        self._refused = 0
        """How often memory had been refused at the last look."""
        self._unread: dict[Address, _Unread] = {}
        self._looking: asyncio.Task[None] | None = None

    def sent(self, client: Address, size: int) -> None:
        """Note an answer that was sent, of `size` bytes that are already charged."""
        if sys.platform != "linux":
            self._budget.give(size)
            return
        address = (client[0].strip("[]"), client[1])
        before = self._unread.get(address)
        size += 0 if before is None else before.size
        self._unread[address] = _Unread(size, perf_counter())
        if self._looking is None:
            self._refused = self._budget.refused
            self._looking = asyncio.get_running_loop().create_task(self._watch())

    def stop(self) -> None:
        """Stop watching."""
        if self._looking is not None:
            self._looking.cancel()

    async def _watch(self) -> None:
        """Check connections, with pauses, until every answer is read."""
        pause = _PERIOD  # time for the server to bring the first answer to its socket
        while self._unread:
            await asyncio.sleep(pause)
            started = thread_time()
            await self._look()
            pause = max(_PERIOD, (thread_time() - started) * _COST)
        self._looking = None

    async def _look(self) -> None:
        gone = set(self._unread)
        slowest = self._in_the_way()
        async for descriptor in descriptors.in_turns():
            connection = descriptors.duplicate(descriptor)
            if connection is None:
                continue
            with connection, contextlib.suppress(OSError):  # not TCP, or not connected any more
                if connection.getsockname()[1:2] == (self._port,):
                    address = self._see(connection)
                    gone.discard(address)
                    if address is not None and address == slowest:
                        connection.shutdown(socket.SHUT_RDWR)
        for address in gone:
            self._read(address)

    def _in_the_way(self) -> Address | None:
        """Return the slowest caller, if it is too slow and others were refused meanwhile."""
        refused, self._refused = self._refused, self._budget.refused
        if refused == self._refused or not self._unread:
            return None
        slowest = min(self._unread, key=lambda address: self._unread[address].since)
        late = perf_counter() - self._unread[slowest].since > self._deadline
        return slowest if late else None

    def _see(self, connection: socket.socket) -> Address | None:
        """Inspect a socket; return its caller if that has not read everything."""
        address: Address = connection.getpeername()[:2]
        if address not in self._unread:
            return None
        waits = array.array("i", [0])
        fcntl.ioctl(connection, _SIOCOUTQ, waits)
        return address if waits[0] else None

    def _read(self, address: Address) -> None:
        unread = self._unread.pop(address, None)
        if unread is not None:
            self._budget.give(unread.size)
