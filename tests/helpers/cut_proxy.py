"""A way to a server on which a connection dies at the point that a test chooses."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.helpers.blackhole_proxy import listening


class CutProxy:
    """Passes bytes on to 127.0.0.1, until a connection is to die."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._mark: bytes | None = None
        self._asked: int | None = None
        self._answered = 0
        self.port = 0
        self.died = False
        """Whether the last connection that was to die has died."""

    def cut(self, mark: bytes, *, asked: int | None = None, answered: int = 0) -> None:
        """Have the next connection die on which the client sends some bytes.

        Args:
            mark: the bytes.
            asked: how much of what they came with the server gets; None for all of it.
            answered: how many bytes of the answer to it pass then. A shorter answer spares it.

        """
        self._mark, self._asked, self._answered = mark, asked, answered
        self.died = False

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
        except BaseException:
            writer.close()
            raise
        connection = _Connection(self, writer, to_server)
        ways = [connection.ask(reader), connection.answer(from_server)]
        tasks = [asyncio.ensure_future(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await connection.die()

    def marked(self, sent: bytes) -> tuple[int | None, int] | None:
        """Return at which point of its question and of the answer a connection dies, if now."""
        if self._mark is None or self._mark not in sent:
            return None
        self._mark = None
        return self._asked, self._answered


class _Connection:
    """A connection of the client, and the one that was made for it."""

    def __init__(
        self, proxy: CutProxy, client: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._left: int | None = None  # bytes that pass to the client before it dies

    async def ask(self, reader: asyncio.StreamReader) -> None:
        """Pass on what the client sends."""
        while sent := await reader.read(65_536):
            point = self._proxy.marked(sent)
            if point is not None:
                asked, self._left = point
                sent = sent if asked is None else sent[:asked]
                self._server.write(sent)
                await self._server.drain()
                if asked is not None:
                    self._proxy.died = True
                    return
            else:
                self._left = None
                self._server.write(sent)

    async def answer(self, reader: asyncio.StreamReader) -> None:
        """Pass on what the server sends."""
        while sent := await reader.read(65_536):
            if self._left is not None and len(sent) > self._left:
                self._client.write(sent[: self._left])
                await self._client.drain()
                self._proxy.died = True
                return
            if self._left is not None:
                self._left -= len(sent)
            self._client.write(sent)

    async def die(self) -> None:
        """Close both."""
        for writer in (self._client, self._server):
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def cut_proxy(target: int) -> AsyncIterator[CutProxy]:
    """Listen on a port of 127.0.0.1 for as long as the context lasts."""
    proxy = CutProxy(target)
    async with listening(proxy.take) as proxy.port:
        yield proxy
