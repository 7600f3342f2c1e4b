"""Gives new connections to the newer of two sockets that listen on one port.

The kernel spreads connections over all sockets of a port (SO_REUSEPORT), and drops those that wait
at a socket when it is closed. A filter makes the kernel choose the newer socket, so that the older
one can drain. While there is only one socket the filter's choice does not exist, and the kernel
uses that one.
"""

import array
import socket
import struct
from typing import Final

from orders import descriptors

_SO_ATTACH_REUSEPORT_CBPF: Final = 51
_RETURN: Final = struct.pack("HBBI", 0x06, 0, 0, 1)
"""A program of classic BPF: return 1, the second socket."""


def prefer_newer(port: int) -> bool:
    """Give all connections to the second socket that listens on a port; return whether it works.

    Call it before that socket listens. It works only on Linux.
    """
    program = array.array("B", _RETURN)
    address, _ = program.buffer_info()
    filtering = struct.pack("HP", 1, address)
    for found in descriptors.listening(port):
        found.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, filtering)
        return True
    return False
