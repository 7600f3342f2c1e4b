"""The caller of a request, and what it may do."""

from typing import Final

from msgspec import Struct

READ: Final = "orders:read"
WRITE: Final = "orders:write"
METRICS: Final = "metrics:read"
SCOPES: Final = (READ, WRITE, METRICS)
"""Every scope that can be granted."""

BEARER: Final = "Bearer"
API_KEY: Final = "ApiKey"


class Caller(Struct, frozen=True, gc=False):
    """A caller whose credential is valid.

    `name` is for people: the bare `sub`, or the name of the API key. `owner` is whose the caller's
    Idempotency-Keys are, and like that of nobody else. `scheme` is that of the credential.
    """

    name: str
    owner: str
    scopes: frozenset[str]
    scheme: str


NOBODY: Final = Caller("", "", frozenset(), "")
"""The caller of an open resource who has shown no credential."""


def token_owner(issuer: str, subject: str) -> str:
    """Return the owner for an issuer's subject; issuers have no spaces, so owners are unique."""
    return f"{issuer} {subject}"


def key_owner(name: str) -> str:
    """Return the owner for an API key's name; no issuer is empty, so it is no subject's."""
    return f" {name}"
