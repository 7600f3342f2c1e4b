"""The front door: decides which requests are hot, and sends each on its way.

A read of one order and a create are hot if they are what ordinary clients send, whatever the exact
wording of Accept and Content-Type. Anything odd (a query string, a repeated header that matters, a
body that is not announced, a head of many KiB) is cold: the rules for it are written once, and not
here.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from orders.errors import Problem
from orders.http.budget import ORDINARY_HEAD, ORDINARY_HEADERS
from orders.http.calls import CreateCall, ReadCall, Shared
from orders.http.endpoint import BODY_LIMIT
from orders.http.guarded import guarded
from orders.http.head import is_host
from orders.http.hooked import hooked
from orders.http.negotiation import check_accept, check_content
from orders.http.problems import READING
from orders.http.rsgi import plain
from orders.model import RESOURCE

if TYPE_CHECKING:
    from orders.auth.gate import Gate
    from orders.http.rsgi import Exchange, Scope

Begun = tuple[Callable[[Any], None], Any]
"""A function that the loop has to call, and its argument."""

_ORDER: Final = f"{RESOURCE}/"
_UUID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
).fullmatch
_NONE: Final = " "
"""Stands for a required header that is missing."""
_FEW: Final = 64
"""Waiting requests up to which a head may be large; beyond, its size is checked, at some cost."""
_REMEMBERED: Final = 256
"""How many values of a header are remembered, and how long one may be; a longer one is cold."""


class FrontDoor:
    """Takes every request of the API."""

    def __init__(self, shared: Shared, *, gate: "Gate | None" = None, hot: bool = True) -> None:
        """Choose the classes of hot calls.

        Args:
            shared: what the calls share.
            gate: asked by every call before anything else; None admits everybody.
            hot: False has the cold application answer everything.

        """
        self._shared = shared
        self._hot = hot
        self._read_call, self._create_call = (
            (ReadCall, CreateCall) if gate is None else guarded(gate)
        )
        if shared.hooks is not None:
            self._read_call, self._create_call = hooked(
                shared.hooks, self._read_call, self._create_call
            )

    def take(self, scope: "Scope", protocol: "Exchange") -> Begun | None:
        """Take a request; callable from any thread.

        Returns:
            What the loop has to call so that it goes on; None if it waits for its body.

        """
        started = perf_counter()
        if (
            scope.method == "POST"
            and self._hot
            and scope.path == CreateCall.route
            and self._create(scope, protocol, started)
        ):
            return None
        return self._go_on, (scope, protocol, started)

    def _create(self, scope: "Scope", protocol: "Exchange", started: float) -> bool:
        if scope.query_string:
            return False
        headers = plain(scope.headers)
        if (
            headers is None
            or not _names_host(headers.get("host", _NONE))
            or not _gives_json(headers.get("accept", "*/*"))
            or not _takes_json(headers.get("content-type", ""))
            or "content-encoding" in headers
            or "if-match" in headers
            or "if-none-match" in headers
            or not self._may_wait(headers)
        ):
            return False
        announced = headers.get("content-length")
        if announced is not None:
            length = int(announced)  # the server has checked that it is a number
            if length > BODY_LIMIT:
                return False
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            length = None
        else:
            return False
        call = self._create_call(
            self._shared, protocol, "POST", CreateCall.route, headers,
            scope.client, scope.http_version, started,
        )  # fmt: skip
        call.receive(scope, length)
        return True

    def _go_on(self, request: tuple["Scope", "Exchange", float]) -> None:
        """Begin a read, or hand a request to the cold application; in the loop's thread."""
        if not self._hot or not self._read(*request):
            self._shared.bridge.start(*request, read=False)

    def _read(self, scope: "Scope", protocol: "Exchange", started: float) -> bool:
        method, path = scope.method, scope.path
        if method not in READING or not path.startswith(_ORDER) or scope.query_string:
            return False
        order_id = path[len(_ORDER) :]
        if _UUID(order_id) is None:
            order_id = order_id.lower()  # Swift writes UUIDs in capitals
            if _UUID(order_id) is None:
                return False
        headers = plain(scope.headers)
        if (
            headers is None
            or not _names_host(headers.get("host", _NONE))
            or not _gives_json(headers.get("accept", "*/*"))
            or "transfer-encoding" in headers
            or not self._may_wait(headers)
        ):
            return False
        self._read_call(
            self._shared, protocol, method, path, headers,
            scope.client, scope.http_version, started,
        ).go(order_id)  # fmt: skip
        return True

    def _may_wait(self, headers: dict[str, str]) -> bool:
        """Whether a call may keep these headers while it waits; while few wait, it always may."""
        shared = self._shared
        return shared.requests.in_flight + shared.bodies.waiting < _FEW or (
            len(headers) <= ORDINARY_HEADERS and len("".join(headers.values())) <= ORDINARY_HEAD
        )


@lru_cache(_REMEMBERED)
def _names_host(host: str) -> bool:
    """Whether this may be the value of Host."""
    return len(host) <= _REMEMBERED and is_host(host.encode())


@lru_cache(_REMEMBERED)
def _gives_json(accept: str) -> bool:
    """Whether a caller with this Accept header takes the API's answers."""
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
