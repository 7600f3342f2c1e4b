"""Which of two sockets that listen on one port gets new connections.

The kernel spreads them over all sockets of a port (SO_REUSEPORT), and drops those that wait at one
that is closed. A filter has it choose the newer of two, so that the older one can empty itself:
while there is one alone the filter's choice does not exist, and the kernel takes what there is.
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
    """Have the second socket that listens on a port get all connections; return whether it will.

    It is to be called before that socket listens. Only Linux can.
    """
    program = array.array("B", _RETURN)
    address, _ = program.buffer_info()
    filtering = struct.pack("HP", 1, address)
    for found in descriptors.listening(port):
        found.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, filtering)
        return True
    return False
