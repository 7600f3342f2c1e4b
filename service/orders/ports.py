"""Whether the ports to listen on are free, said in one line before anything else is started.

The server sets SO_REUSEPORT, so of two services on one port neither would fail: each would get
some of the connections.
"""

import errno
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orders.config import Config


class PortError(Exception):
    """There cannot be listened; the message names the variable of the port or of the address."""


def check_ports(config: "Config") -> None:
    """Try both ports.

    Raises:
        PortError: one is in use or may not be listened on, or the address is not of this machine.
    """
    host = config.http_host
    for variable, port in (("HTTP_PORT", config.http_port), ("METRICS_PORT", config.metrics_port)):
        try:
            with socket.socket(_family(host)) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise PortError(f"HTTP_HOST is {host}: {error.strerror}") from None
            raise PortError(f"{variable} is {port}: {host}:{port}: {error.strerror}") from None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
