"""This service with something switched on that costs, beside itself as it is by default."""

from collections.abc import Iterator
from typing import Final

from bench.encryption import ENCRYPTED, encrypted
from bench.servers import Server
from bench.tracing import TRACED, traced

VARIANTS: Final = frozenset((TRACED, ENCRYPTED))


def variants(server: Server, spans: str) -> Iterator[Server]:
    """Give each that can be measured here; `spans` is the URL that takes spans."""
    yield traced(server, spans)
    over_tls = encrypted(server)
    if over_tls is not None:
        yield over_tls
