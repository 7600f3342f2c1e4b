"""A server that does with each request what a test says, which no good server would."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"


class Caller:
    """A connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.requests = 0
        """How many came on it."""

    async def request(self) -> bytes:
        """Return the next request, of which the body is left out; nothing when there is none."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
        self.requests += 1
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                await self._reader.readexactly(int(line.partition(b":")[2]))
        return head

    def send(self, data: bytes) -> None:
        """Send this."""
        self._writer.write(data)

    def reset(self) -> None:
        """End the connection so that the caller has an error."""
        linger = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, linger
        )

    def close(self) -> None:
        """End the connection."""
        self._writer.close()

    async def gone(self) -> None:
        """Return when the caller has ended the connection."""
        await self._reader.read()


class OddServer:
    """What came to the server."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.callers: list[Caller] = []

    @property
    def requests(self) -> list[int]:
        """How many requests came on each connection, in the order of connecting."""
        return [caller.requests for caller in self.callers]


@asynccontextmanager
async def odd_server(serve: Callable[[Caller], Awaitable[None]]) -> AsyncIterator[OddServer]:
    """Have `serve` run for each connection, which is closed after it."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller = Caller(reader, writer)
        odd.callers.append(caller)
        try:
            await serve(caller)
        finally:
            caller.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    odd = OddServer(server.sockets[0].getsockname()[1])
    async with server:
        yield odd
