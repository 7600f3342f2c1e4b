"""Checks that the ports to listen on are free before anything else is started.

The server sets SO_REUSEPORT, so two services on one port would not fail: each would get some of
the connections.
"""

import errno
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from orders.config import Config


ANY: Final = "::"
"""Every address of the machine, IPv6 and IPv4."""
_ANY_IPV4: Final = "0.0.0.0"  # noqa: S104  a pod is reached from outside
_NO_IPV6: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})


class PortError(Exception):
    """A port cannot be opened; the message names the variable of the port or of the address."""


def host_to_bind(host: str) -> str:
    """Return the address to listen on: where a machine has no IPv6, `::` means `0.0.0.0`."""
    if host != ANY:
        return host
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((ANY, 0))
    except OSError as error:
        if error.errno in _NO_IPV6:
            return _ANY_IPV4
    return host


def check_ports(config: "Config") -> None:
    """Bind each port for a moment.

    Raises:
        PortError: one is in use or may not be bound, or the address is not this machine's.
    """
    host = host_to_bind(config.http_host)
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
