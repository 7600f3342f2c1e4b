"""CORS: lets browsers show answers to pages of other origins (Fetch, 3.2).

It comes before the front door and marks every answer, on either path, refusals included. It
refuses nothing itself: a browser hides from a page what is not marked for its origin. Without an
allowed origin none of this is in place.
"""

from typing import TYPE_CHECKING, Any, Final

from orders.config.cors import EVERYONE
from orders.http.endpoints import ENDPOINTS
from orders.http.exchanges import Marked

if TYPE_CHECKING:
    from orders.config.cors import Cors
    from orders.http import asgi
    from orders.http.rsgi import Exchange, Headers, Scope
    from orders.http.server import Take

_METHODS: Final = ", ".join(sorted({"HEAD", *(endpoint.method for endpoint in ENDPOINTS)}))
"""The API's methods; browsers send GET, HEAD and POST without asking."""
_VARY: Final = ("vary", "origin")


def marking(take: "Take", cors: "Cors | None") -> "Take":
    """Return a function that takes a request and marks its answer for the origin that asks."""
    if cors is None:
        return take
    common = [("access-control-expose-headers", cors.exposed)]
    if cors.credentials:
        common.append(("access-control-allow-credentials", "true"))
    if cors.origins == EVERYONE:
        allowed: dict[str | None, Headers] = {}
        otherwise = [_allow(EVERYONE), *common]
    else:
        allowed = {o: [_allow(o), *common, _VARY] for o in cors.origins.split(", ")}
        otherwise = [_VARY]

    def take_marked(scope: "Scope", protocol: "Exchange") -> Any:
        marks = allowed.get(scope.headers.get("origin"), otherwise)
        return take(scope, Marked(protocol, marks))

    return take_marked


def preflight(cors: "Cors | None") -> "asgi.Headers | None":
    """Return the headers that answer every preflight; None without CORS."""
    if cors is None:
        return None
    headers = f"{EVERYONE}, authorization" if cors.headers == EVERYONE else cors.headers
    return [
        (b"access-control-allow-methods", _METHODS.encode()),
        (b"access-control-allow-headers", headers.encode()),  # * does not cover Authorization
        (b"access-control-max-age", b"%d" % cors.max_age),
    ]


def is_preflight(scope: "asgi.Scope") -> bool:
    """Whether the request is a browser's preflight (Fetch, 3.2.2)."""
    if scope["method"] != "OPTIONS":
        return False
    names = {name for name, _ in scope["headers"]}
    return {b"origin", b"access-control-request-method"} <= names


def _allow(origin: str) -> tuple[str, str]:
    return "access-control-allow-origin", origin
