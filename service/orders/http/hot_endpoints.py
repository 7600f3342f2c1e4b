"""Finds the hot endpoint of a request, with what its function takes from the request's head.

Only endpoints that are declared with `hot=True` are found; a create and a read of an order have
calls of their own (`calls.py`). A head that asks for a rule which is the cold application's finds
none: a query, a condition, a header that is repeated or cannot be read.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from orders.http.endpoint import Endpoint
from orders.http.ordinary_heads import UNANNOUNCED, body_length, takes_json
from orders.http.routes import LONGEST, Routes

if TYPE_CHECKING:
    from orders.http.rsgi import RequestHeaders

_CONDITIONS: Final = ("If-Match", "If-None-Match")
_NUL: Final = "\0"


class Match(msgspec.Struct):
    """A request's endpoint, the decoder of its body if it has one, and its function's arguments.

    `length` is the bytes of the body, None if they are not known; 0 without a body.
    """

    endpoint: Endpoint
    decode: Callable[[bytes], Any] | None
    arguments: dict[str, Any]
    length: int | None


class _Target(msgspec.Struct, frozen=True):
    """An endpoint, and where its arguments are in a request."""

    endpoint: Endpoint
    decode: Callable[[bytes], Any] | None
    parts: tuple[tuple[str, int], ...]
    """Arguments, and which parts of the path they are."""
    headers: tuple[tuple[str, str, bool], ...]
    """Arguments, the headers that they are, and whether these are required."""
    unwanted: tuple[str, ...]
    """Headers with which a request is cold."""


class HotEndpoints:
    """The hot ones among endpoints."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        every = tuple(endpoints)
        self._routes = Routes(endpoint.path for endpoint in every)
        self._targets = {(e.method, e.path): _target(e) for e in every if e.hot}

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self._targets)

    def find(
        self, method: str, path: str, headers: dict[str, str], given: "RequestHeaders"
    ) -> Match | None:
        """Return a request's endpoint and arguments; None if it is cold.

        Args:
            method: of the request.
            path: decoded.
            headers: those that can be read, by name in lower case.
            given: the headers as they are given.

        """
        if len(path) > LONGEST or _NUL in path:
            return None
        target = self._target(method, path)
        if target is None or any(name in given for name in target.unwanted):
            return None
        length = body_length(headers)
        if target.decode is None:
            if length not in {UNANNOUNCED, 0}:
                return None
            length = 0
        elif (
            length == UNANNOUNCED
            or (length or 0) > target.endpoint.body_limit
            or not takes_json(headers.get("content-type", ""))
        ):
            return None
        arguments: dict[str, Any] = {}
        for name, wire, required in target.headers:
            if wire in headers:
                arguments[name] = headers[wire]
            if len(given.get_all(wire)) != (wire in headers) or (required and wire not in headers):
                return None
        if target.parts:
            parts = path.split("/")
            arguments |= {name: parts[index] for name, index in target.parts}
        return Match(target.endpoint, target.decode, arguments, length)

    def _target(self, method: str, path: str) -> _Target | None:
        route = self._routes.of(path)
        if route is None:
            return None
        return self._targets.get(("GET" if method == "HEAD" else method, route))


def _target(endpoint: Endpoint) -> _Target:
    parts = endpoint.path.split("/")
    places = [(p.name, p.wire) for p in endpoint.parameters if p.place == "path"]
    headers = [p for p in endpoint.parameters if p.place == "header"]
    judges = any(p.wire == "If-Match" for p in headers)
    unwanted = () if judges else tuple(name.lower() for name in _CONDITIONS)
    return _Target(
        endpoint,
        None if endpoint.body is None else msgspec.json.Decoder(endpoint.body).decode,
        tuple((name, parts.index(f"{{{wire}}}")) for name, wire in places),
        tuple((p.name, p.wire.lower(), p.required) for p in headers),
        (*unwanted, "content-encoding") if endpoint.body is not None else unwanted,
    )
