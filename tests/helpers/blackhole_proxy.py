"""What may stand between a client and a server: a proxy that can swallow connections."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

Take = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
"""Serves one connection to its end."""


class Middle:
    """A port that passes connections on, or takes them and says nothing."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.silent = False
        self.taken = 0
        """How many connections came while it was silent."""

    @property
    def open(self) -> int:
        """How many connections the client has not closed."""
        return len(self._writers)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        self._writers.add(writer)
        try:
            if self.silent:
                self.taken += 1
                await reader.read(-1)
            else:
                await self._pass_on(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            ways = [_pass(reader, questions), _pass(answers, writer)]
            tasks = [asyncio.ensure_future(way) for way in ways]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
        finally:
            questions.close()


@asynccontextmanager
async def listening(take: Take, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """Serve connections to a port of a host, each in a task that the context ends; yield it."""
    callers: set[asyncio.Task[None]] = set()

    def called(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.add(asyncio.ensure_future(take(reader, writer)))

    server = await asyncio.start_server(called, host, port)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)


@asynccontextmanager
async def middle(
    target: int = 0, *, silent: bool = False, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Middle]:
    """Listen on a port of a host for as long as the context lasts."""
    between = Middle(target)
    between.silent = silent
    async with listening(between.take, host, port) as between.port:
        yield between


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
