"""The front door: tells which requests are hot, and sends each on its way.

A read of one order and a create are hot when they are what ordinary clients send, whatever their
Accept and Content-Type say in particular. What is odd (a query string, a header that matters
twice, a body that is not announced) is cold: the rules for it are written once, and not here.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from orders.errors import Problem
from orders.http.calls import Around, CreateCall, ReadCall
from orders.http.endpoint import BODY_LIMIT
from orders.http.negotiation import check_accept, check_content
from orders.http.problems import READING
from orders.http.rsgi import plain

if TYPE_CHECKING:
    from orders.http.rsgi import Exchange, Scope

Begun = tuple[Callable[[Any], None], Any]
"""What the loop is to call, and with what."""

_ORDER: Final = "/orders/"
_UUID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
).fullmatch
_REMEMBERED: Final = 256
"""How many values of a header are remembered, and how long one may be; others are cold."""


class FrontDoor:
    """Takes every request of the API."""

    def __init__(self, around: Around, *, hot: bool = True) -> None:
        """Be open.

        Args:
            around: what the calls use.
            hot: False has everything answered by the cold application.

        """
        self._around = around
        self._hot = hot

    def take(self, scope: "Scope", protocol: "Exchange") -> Begun | None:
        """Take a request; from any thread.

        Returns:
            What the loop has to call for it to go on; None if it waits for its body.

        """
        started = perf_counter()
        path = scope.path
        if self._hot:
            if path.startswith(_ORDER):
                if call := self._read(scope, protocol, path, started):
                    return call.go, path[len(_ORDER) :]
            elif path == CreateCall.route and self._create(scope, protocol, path, started):
                return None
        return self._go_cold, (scope, protocol, started)

    def _read(
        self, scope: "Scope", protocol: "Exchange", path: str, started: float
    ) -> ReadCall | None:
        method = scope.method
        if method not in READING or _UUID(path[len(_ORDER) :]) is None or scope.query_string:
            return None
        headers = plain(scope.headers)
        if headers is None or not _gives_json(headers.get("accept", "*/*")):
            return None
        return ReadCall(self._around, protocol, method, path, headers, started)

    def _create(
        self, scope: "Scope", protocol: "Exchange", path: str, started: float
    ) -> CreateCall | None:
        if scope.method != "POST" or scope.query_string:
            return None
        headers = plain(scope.headers)
        if (
            headers is None
            or not _gives_json(headers.get("accept", "*/*"))
            or not _takes_json(headers.get("content-type", ""))
            or "content-encoding" in headers
        ):
            return None
        announced = headers.get("content-length")
        if announced is not None:
            length = int(announced)  # the server has seen to it that it is a number
            if length > BODY_LIMIT:
                return None
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            length = None
        else:
            return None
        call = CreateCall(self._around, protocol, "POST", path, headers, started)
        call.receive(scope, length)
        return call

    def _go_cold(self, request: tuple["Scope", "Exchange", float]) -> None:
        self._around.bridge.start(*request, read=False)


@lru_cache(_REMEMBERED)
def _gives_json(accept: str) -> bool:
    """Whether a caller that accepts this takes what the API gives."""
    return _passes(check_accept, accept)


@lru_cache(_REMEMBERED)
def _takes_json(content_type: str) -> bool:
    """Whether the API takes a body of this type."""
    return _passes(lambda value: check_content(value, None), content_type)


def _passes(check: Callable[[bytes], None], value: str) -> bool:
    if len(value) > _REMEMBERED:
        return False
    try:
        check(value.encode())
    except Problem:
        return False
    return True
