"""The ports in a database's URL, for the NetworkPolicy. Pure."""

from typing import Final
from urllib.parse import unquote, urlsplit

from orders_operator.resources.network import POSTGRES_PORT

_PORTS: Final = range(1, 65536)


def database_ports(url: str) -> tuple[int, ...]:
    """Return the ports of all hosts in a database URL; 5432 for hosts without one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return (POSTGRES_PORT,)
    hosts = parts.netloc.rpartition("@")[2].split(",")
    asked = dict(pair.partition("=")[::2] for pair in parts.query.split("&"))
    default = [text for text in unquote(asked.get("port", "")).split(",") if text]
    texts = [port for host in hosts for port in ([_port(host)] if _port(host) else default)]
    if not all(_port(host) for host in hosts) and not default:
        texts.append(str(POSTGRES_PORT))
    return tuple(sorted({int(text) for text in texts if _is_port(text)})) or (POSTGRES_PORT,)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) in _PORTS


def _port(host: str) -> str:
    """Return the port of `host:port`, or of an address in brackets."""
    _, colon, port = host.rpartition("]")[2].rpartition(":")
    return port if colon else ""
