"""Who calls, and what they may do."""

from typing import Final

from msgspec import Struct

READ: Final = "orders:read"
WRITE: Final = "orders:write"
METRICS: Final = "metrics:read"
SCOPES: Final = (READ, WRITE, METRICS)
"""Everything that can be granted."""

BEARER: Final = "Bearer"
API_KEY: Final = "ApiKey"


class Caller(Struct, frozen=True, gc=False):
    """Somebody whose credential is valid.

    `name` is for people: the bare `sub`, or the name of the API key. `owner` is whose the caller's
    Idempotency-Keys are, and like that of nobody else. `scheme` is that of the credential.
    """

    name: str
    owner: str
    scopes: frozenset[str]
    scheme: str


NOBODY: Final = Caller("", "", frozenset(), "")
"""Whoever has shown none, and asks for what is open."""


def token_owner(issuer: str, subject: str) -> str:
    """Return whose keys those of a subject are: issuers have no spaces, so no two are alike."""
    return f"{issuer} {subject}"


def key_owner(name: str) -> str:
    """Return whose keys those of an API key's name are: no issuer is empty."""
    return f" {name}"
