"""Connections to one server: kept-alive ones that are renewed, and fresh ones.

The connection that was idle longest is used first, so each has its turn and learns in time that
its server is about to end. Their number is not limited, and there is no queue: a request that
finds none idle opens one, like independent callers do.
"""

import asyncio
import ssl
from collections import deque
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from orders_operator.load.addresses import Addresses
from orders_operator.load.connection import Answer, Connection, NoAnswer, Phase, error_name

_IDLE_SECONDS: Final = 2.0
_PORTS: Final = {"http": 80, "https": 443}


class Connections:
    """Sends requests to the server of one URL."""

    def __init__(
        self, url: str, *, timeout: float, renew: int, authorities: Path | None = None
    ) -> None:
        """Start without connections.

        Args:
            url: its scheme, host and port are used.
            timeout: the seconds that one try may take, including the connection.
            renew: how many requests a kept-alive connection may carry.
            authorities: a file of certificate authorities; None for the system's.

        """
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self._tls = None
        if parts.scheme == "https":
            self._tls = ssl.create_default_context(cafile=authorities)
        self._addresses = Addresses(self._host, self._port)
        self._timeout = timeout
        self._renew = renew
        self._idle: deque[Connection] = deque()

    async def ask(self, request: bytes, *, fresh: bool) -> Answer:
        """Send one request, once; `fresh` ones must carry `Connection: close`.

        Raises:
            NoAnswer: there was none, or not in time.

        """
        connection = None if fresh else self._take()
        answer = None
        try:
            async with asyncio.timeout(self._timeout):
                if connection is None:
                    connection = await self._connect()
                answer = await connection.ask(request)
                return answer
        except OSError as error:  # a timeout is one
            phase: Phase = "connecting" if connection is None else connection.phase
            reused = connection is not None and connection.requests > 1
            raise NoAnswer(error_name(error), phase, reused=reused) from None
        finally:
            if connection is not None:
                self._give_back(connection, answered=answer is not None, fresh=fresh)

    def close(self) -> None:
        """Close the idle connections."""
        self._addresses.close()
        while self._idle:
            self._idle.popleft().abort()

    def _take(self) -> Connection | None:
        """Return a usable idle connection, and close the unusable ones before it."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.popleft()
            if now - connection.idle_since < _IDLE_SECONDS and connection.usable():
                return connection
            connection.abort()
        return None

    def _give_back(self, connection: Connection, *, answered: bool, fresh: bool) -> None:
        if not answered:
            connection.abort()
        elif fresh or not connection.keeps:
            connection.leave()
        elif connection.requests >= self._renew:
            connection.abort()
        else:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)

    async def _connect(self) -> Connection:
        """Connect to the first of the host's addresses that accepts, as every client does."""
        loop = asyncio.get_running_loop()
        addresses = await self._addresses.get()
        for address in addresses[:-1]:
            try:
                return await self._open(loop, address)
            except OSError:
                continue
        return await self._open(loop, addresses[-1])

    async def _open(self, loop: asyncio.AbstractEventLoop, address: str) -> Connection:
        name = self._host if self._tls else None
        _, connection = await loop.create_connection(
            Connection, address, self._port, ssl=self._tls, server_hostname=name
        )
        return connection
