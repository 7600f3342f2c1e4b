"""What the OpenAPI document says of authentication, if the service requires it."""

from typing import Any, Final

from orders.auth import outcomes
from orders.auth.caller import API_KEY, BEARER, READ, WRITE
from orders.errors import AuthenticationUnavailable, InsufficientScope, Problem, Unauthorized

PROBLEMS: Final[tuple[type[Problem], ...]] = (
    Unauthorized,
    InsufficientScope,
    AuthenticationUnavailable,
)
"""The problems that every operation may then answer with as well."""
CHALLENGED: Final = frozenset((Unauthorized.status, InsufficientScope.status))
"""The statuses that come with a challenge."""
DETAILS: Final[dict[type[Problem], str]] = {
    Unauthorized: outcomes.DETAILS[outcomes.EXPIRED],
    InsufficientScope: InsufficientScope.of(WRITE).detail,
    AuthenticationUnavailable: outcomes.DETAILS[outcomes.NO_KEYS],
}
HEADERS: Final = {
    "WWW-Authenticate": {
        "description": "Which credentials are accepted, and what was wrong with the token (RFC "
        "6750, 3).",
        "required": True,
        "schema": {"type": "string"},
        "example": 'Bearer realm="orders", error="invalid_token",'
        f' error_description="{outcomes.DETAILS[outcomes.EXPIRED]}"',
    }
}

_NAMES: Final = {BEARER: "bearer", API_KEY: "apiKey"}
_SCHEMES: Final[dict[str, dict[str, Any]]] = {
    BEARER: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token from an issuer that the service trusts (RFC 6750), with the scopes"
        f" {READ} and {WRITE}.",
    },
    API_KEY: {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "A key created by `orders keys new`.",
    },
}


def schemes(taken: tuple[str, ...]) -> dict[str, Any]:
    """Return the security schemes (OpenAPI 3.1, 4.8.27)."""
    return {_NAMES[scheme]: _SCHEMES[scheme] for scheme in taken}


def requirements(taken: tuple[str, ...], scope: str) -> list[dict[str, list[str]]]:
    """Return the requirements of an operation: one of the schemes, with the scope."""
    return [{_NAMES[scheme]: [scope]} for scheme in taken]
