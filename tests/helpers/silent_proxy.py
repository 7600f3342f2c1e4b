"""A way to a server that can go silent, as a network does that drops packets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class SilentProxy:
    """Passes bytes on to 127.0.0.1, until it drops those of the connections that there are."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._silenced = asyncio.Event()
        self._open: set[asyncio.Task[None]] = set()
        self.port = 0
        self.accepted = 0

    def silence(self) -> None:
        """Pass on nothing more of these connections, which stay open; later ones are well."""
        self._silenced.set()
        self._silenced = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen on a port of its own."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for task in self._open:
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        silenced = self._silenced
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
        for source, sink in ((reader, to_server), (from_server, writer)):
            task = asyncio.create_task(_pass_on(source, sink, silenced))
            self._open.add(task)


async def _pass_on(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, silenced: asyncio.Event
) -> None:
    try:
        while (received := await source.read(65_536)) or silenced.is_set():
            if silenced.is_set():
                await asyncio.Event().wait()
            sink.write(received)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()
