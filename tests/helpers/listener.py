"""A listener in this process, whose connections the system shows."""

import contextlib
import socket
import struct

_WAITING = struct.Struct("=28x I")
"""Of struct tcp_info what a socket that listens has there: the bound of those that wait."""
Pair = tuple[socket.socket, socket.socket]


class Listener:
    """Accepts connections; a context manager."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._socket = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.port: int = self._socket.getsockname()[1]

    def connect(self) -> Pair:
        """Return both ends of a connection, the caller's first, which has small buffers."""
        caller = self._stack.enter_context(socket.socket())
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.connect(("127.0.0.1", self.port))
        accepted, _ = self._socket.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        accepted.setblocking(False)  # noqa: FBT003  its name says it
        return caller, self._stack.enter_context(accepted)

    @property
    def backlog(self) -> int:
        """How many may wait to be accepted, beside one."""
        told = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _WAITING.size)
        return int(_WAITING.unpack(told)[0])

    def close(self) -> None:
        """Close all of them."""
        self._stack.close()


def is_open(caller: socket.socket) -> bool:
    """Whether a caller was not told that it is over."""
    caller.setblocking(False)  # noqa: FBT003  its name says it
    try:
        return bool(caller.recv(1))
    except BlockingIOError:
        return True


def fill(accepted: socket.socket) -> None:
    """Send until there is no room for more."""
    with contextlib.suppress(BlockingIOError):
        while True:
            accepted.send(b" " * 65_536)


def is_shut(accepted: socket.socket) -> bool:
    """Whether nothing more can be sent."""
    try:
        accepted.send(b" ")
    except BlockingIOError:
        return False
    except BrokenPipeError:
        return True
    return False
