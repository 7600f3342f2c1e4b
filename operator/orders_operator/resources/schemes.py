"""HTTP or HTTPS: what pods speak, and so which port of the Service callers use.

A rollout that turns TLS on or off has pods of both kinds behind one Service for a while.
"""

from typing import Final

from msgspec import Struct

from orders_operator.api.spec import PodsSpec

HTTP: Final = "http"
HTTPS: Final = "https"
PORT_NAMES: Final = {HTTP: "http", HTTPS: "orders-https"}
"""The name of the pods' port by scheme. Its number is always the same, so a Service distinguishes
the schemes by this name."""


class Schemes(Struct, frozen=True):
    """The schemes of pods in use.

    Args:
        spoken: the schemes of any of them.
        all: that of most serving pods of both tracks: callers from outside are led to these.
        stable: that of most serving pods of the stable track.
        canary: that of most serving pods of the canary.

    """

    spoken: frozenset[str] = frozenset({HTTP})
    all: str = HTTP
    stable: str = HTTP
    canary: str = HTTP


def declared(spec: PodsSpec) -> str:
    """Return the scheme of pods of this spec."""
    return HTTP if spec.tls is None else HTTPS
