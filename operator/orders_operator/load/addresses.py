"""The addresses of a host, looked up every 5 s in the background.

Otherwise each fresh connection would cost a look-up, and one that is slow or fails would count as
a failure of the service. A host that was found once keeps its addresses while look-ups fail.
"""

import asyncio
import socket
from typing import Final

_FRESH_SECONDS: Final = 5.0


class Addresses:
    """The addresses of one host."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._found: list[str] = []
        self._until = 0.0
        self._lookup: asyncio.Task[None] | None = None

    async def get(self) -> list[str]:
        """Return the addresses; calls wait for a look-up only until one has succeeded.

        Raises:
            OSError: the host was never found.

        """
        now = asyncio.get_running_loop().time()
        if self._lookup is None and (not self._found or now >= self._until):
            self._until = now + _FRESH_SECONDS
            self._lookup = asyncio.create_task(self._look_up())
            self._lookup.add_done_callback(self._looked_up)
        if not self._found and self._lookup is not None:
            await asyncio.shield(self._lookup)
        return self._found

    def close(self) -> None:
        """Cancel the look-up that is under way."""
        if self._lookup is not None:
            self._lookup.cancel()

    async def _look_up(self) -> None:
        loop = asyncio.get_running_loop()
        infos = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        self._found = [str(address[0]) for *_, address in infos]

    def _looked_up(self, lookup: asyncio.Task[None]) -> None:
        self._lookup = None
        if not lookup.cancelled():
            lookup.exception()  # whoever waits for it receives it
