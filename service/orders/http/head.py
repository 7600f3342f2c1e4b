"""Checks of a request's head that RFC 9112 asks for and the server's HTTP library does not make.

They apply to every request on either port, before anything else. The answer is always 400: a 501
for a transfer coding (6.1) would count as a failure of the service.
"""

import re
from typing import Final

from orders.errors import InvalidRequest, MalformedIdempotencyKey, Problem
from orders.http.asgi import Scope
from orders.http.idempotency import RULE
from orders.http.validation import invalid

_HOST: Final = re.compile(
    rb"(?:\[[0-9a-f:.]+\]|(?:[a-z0-9._~!$&'()*+,;=-]|%[0-9a-f]{2})+)(?::[0-9]*)?",
    re.IGNORECASE,
).fullmatch
"""A host with or without a port (RFC 3986, 3.2.2)."""
_HTTP_1_0: Final = "1"
"""Granian's name for it."""


def is_host(value: bytes) -> bool:
    """Whether this is the value of a Host header (RFC 9110, 7.2) of a URL, which has a host."""
    return _HOST(value) is not None


def refusal(scope: Scope) -> Problem | None:
    """Return the problem for which to refuse a request, or None."""
    unreadable = scope.get("orders_unreadable")
    if unreadable == "idempotency-key":
        return MalformedIdempotencyKey(RULE)
    if unreadable is not None:
        return invalid(f"#/header/{unreadable.title()}", "has bytes other than visible ASCII")
    return _wrong_host(scope) or _wrong_target(scope) or _wrong_coding(scope)


def _wrong_host(scope: Scope) -> Problem | None:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) > 1:
        return invalid("#/header/Host", "is given more than once")
    if not any(hosts):  # over ASGI, Granian adds an empty one where there is none
        old = scope["http_version"] == _HTTP_1_0
        return None if old else invalid("#/header/Host", "is missing or empty")
    if not is_host(hosts[0]):
        return invalid("#/header/Host", "is not a host, with or without a port")
    return None


def _wrong_target(scope: Scope) -> Problem | None:
    path, method = scope["path"], scope["method"]
    if path.startswith("/") or method == "CONNECT" or (method == "OPTIONS" and path == "*"):
        return None
    return InvalidRequest("the target of the request is neither a path nor a URL")


def _wrong_coding(scope: Scope) -> Problem | None:
    lists = b",".join(v for name, v in scope["headers"] if name == b"transfer-encoding")
    codings = [coding for part in lists.split(b",") if (coding := part.strip().lower())]
    if codings in ([], [b"chunked"]):
        return None
    return invalid("#/header/Transfer-Encoding", "may only be chunked")
