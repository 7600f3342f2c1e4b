"""Variants of this service beyond its defaults: measured beside it, and compared with no peer."""

from collections.abc import Iterator
from typing import Final

from bench.encryption import ENCRYPTED, encrypted
from bench.guarding import GUARDED, Issued, guarded
from bench.hooking import HOOKED, hooked
from bench.servers import Server
from bench.tracing import TRACED, traced

VARIANTS: Final = (TRACED, GUARDED, HOOKED, ENCRYPTED)


def variants(server: Server, spans: str, issued: Issued) -> Iterator[Server]:
    """Give each that can be measured here.

    Args:
        server: this service with its defaults.
        spans: the URL that takes spans.
        issued: the token that is sent where one is asked for.

    """
    yield traced(server, spans)
    yield guarded(server, issued)
    yield hooked(server)
    over_tls = encrypted(server)
    if over_tls is not None:
        yield over_tls
