"""Open connections that send no requests, beside those of a load.

Each sends one request when it is opened and one at the end, which shows that it was served and
kept open.
"""

import socket
from types import TracebackType
from typing import Final, Self

from bench.process import ServerError

MANY: Final = 2_000
"""Connections of a load that has many."""
IDLE: Final = 10_000
_ASK: Final = b"GET /livez HTTP/1.1\r\nHost: bench\r\n\r\n"
_PATIENCE: Final = 10.0


class Crowd:
    """A number of idle connections to a port of this machine; a context manager."""

    def __init__(self, port: int, size: int) -> None:
        """Nothing is opened before the context is entered."""
        self._port = port
        self._size = size
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        """Open them one after the other; ServerError if one is not served."""
        try:
            for _ in range(self._size):
                self._open.append(socket.create_connection(("127.0.0.1", self._port), _PATIENCE))
                if not _served(self._open[-1]):
                    raise ConnectionError("it was accepted and not served")
        except OSError as error:
            self._close()
            msg = (
                f"idle connection {len(self._open)} of {self._size} to port {self._port}: {error}"
            )
            raise ServerError(msg) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close them."""
        self._close()

    def lost(self) -> int:
        """Return how many are not served any more."""
        return sum(not _served(each) for each in self._open)

    def _close(self) -> None:
        for each in self._open:
            each.close()


def _served(connection: socket.socket) -> bool:
    try:
        connection.sendall(_ASK)
        return connection.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
