"""Large answers on their way: charged until the system has taken them, or their caller is gone.

The server takes an answer at once, whether or not its caller reads it, and does not tell when it
is sent. What a caller does not read would be kept for as long as the caller likes. So the sockets
of callers that were sent much are looked at, among the descriptors of the process: how much waits
in them. One of which nothing is read for longer than a request may take is shut.
"""

import array
import asyncio
import contextlib
import fcntl
import socket
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Final

from orders import descriptors

if TYPE_CHECKING:
    from orders.http.budget import Budget

Address = tuple[str, int]

SMALL: Final = 32 * 1024
"""Bytes of an answer that are not charged: sockets have as much for each."""

_PERIOD: Final = 0.1
_COST: Final = 20
_STRIDE: Final = 128
_SIOCOUTQ: Final = 0x5411


class _Unread:
    """What a caller was sent."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.waits = -1
        """Bytes that wait in the socket; -1 before the first look."""
        self.since = perf_counter()


class Answers:
    """The answers that callers have not read."""

    def __init__(self, budget: "Budget", port: int, patience: float) -> None:
        """Know of none.

        Args:
            budget: what they are charged to.
            port: the local port of callers.
            patience: seconds for which a caller may read nothing.

        """
        self._budget = budget
        self._port = port
        self._patience = patience
        self._unread: dict[Address, _Unread] = {}
        self._looking: asyncio.Task[None] | None = None

    def sent(self, client: Address, size: int) -> None:
        """Have sent an answer of so many bytes that are charged already."""
        if sys.platform != "linux":
            self._budget.give(size)
            return
        address = (client[0].strip("[]"), client[1])
        found = self._unread.get(address)
        if found is None:
            self._unread[address] = _Unread(size)
        else:
            found.size += size
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._watch())

    def stop(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()

    async def _watch(self) -> None:
        """Look until everything is read."""
        while self._unread:
            started = perf_counter()
            await self._look()
            await asyncio.sleep(max(_PERIOD, (perf_counter() - started) * _COST))
        self._looking = None

    async def _look(self) -> None:
        gone = set(self._unread)
        for number, descriptor in enumerate(descriptors.numbers()):
            if number % _STRIDE == 0:
                await asyncio.sleep(0)
            connection = descriptors.duplicate(descriptor)
            if connection is None:
                continue
            with connection, contextlib.suppress(OSError):  # not TCP, or not connected any more
                if connection.getsockname()[1:2] == (self._port,):
                    gone.discard(self._see(connection))
        for address in gone:
            self._read(address)

    def _see(self, connection: socket.socket) -> Address | None:
        """Look at one; return its caller if that has not read everything."""
        address: Address = connection.getpeername()[:2]
        unread = self._unread.get(address)
        waits = array.array("i", [0])
        if unread is None:
            return None
        fcntl.ioctl(connection, _SIOCOUTQ, waits)
        if not waits[0]:
            return None
        now = perf_counter()
        if waits[0] != unread.waits:
            unread.waits, unread.since = waits[0], now
        elif now - unread.since > self._patience:
            connection.shutdown(socket.SHUT_RDWR)
        return address

    def _read(self, address: Address) -> None:
        unread = self._unread.pop(address, None)
        if unread is not None:
            self._budget.give(unread.size)
