"""HTTP or HTTPS: what the pods speak, and so by which port of the Service callers come.

A rollout that turns TLS on or off has pods of both kinds behind one Service for a while.
"""

from typing import Final

from msgspec import Struct

from orders_operator.api.spec import PodsSpec

HTTP: Final = "http"
HTTPS: Final = "https"
PORT_NAMES: Final = {HTTP: "http", HTTPS: "orders-https"}
"""Of the pods' port, which has the same number: by it a Service tells them apart."""


class Schemes(Struct, frozen=True):
    """What pods in use speak.

    Args:
        spoken: by any of them.
        all: by most of those that serve, of both tracks: callers from outside are led to these.
        stable: the same of the stable track alone.
        canary: the same of the canary's.

    """

    spoken: frozenset[str] = frozenset({HTTP})
    all: str = HTTP
    stable: str = HTTP
    canary: str = HTTP


def declared(spec: PodsSpec) -> str:
    """Return what pods of this spec speak."""
    return HTTP if spec.tls is None else HTTPS
