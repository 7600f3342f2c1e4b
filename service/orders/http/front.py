"""The front door: decides which requests are hot, and sends each on its way.

A read of one order and a create are hot if they are what ordinary clients send, whatever the exact
wording of Accept and Content-Type. Anything odd (a query string, a repeated header that matters, a
body that is not announced, a head of many KiB) is cold: the rules for it are written once, and not
here.
"""

import re
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from orders.http.budget import ORDINARY_HEAD, ORDINARY_HEADERS
from orders.http.calls import CreateCall
from orders.http.endpoint import BODY_LIMIT
from orders.http.endpoints import ENDPOINTS
from orders.http.guarded import guarded
from orders.http.hooked import hooked
from orders.http.hot_calls import HotCalls
from orders.http.hot_endpoints import HotEndpoints
from orders.http.ordinary_heads import (
    NONE,
    UNANNOUNCED,
    body_length,
    gives_json,
    names_host,
    takes_json,
)
from orders.http.problems import READING
from orders.http.rsgi import plain
from orders.model import RESOURCE

if TYPE_CHECKING:
    from orders.auth.gate import Gate
    from orders.http.call import Shared
    from orders.http.rsgi import Exchange, Scope

Begun = tuple[Callable[[Any], None], Any]
"""A function that the loop has to call, and its argument."""

_ORDER: Final = f"{RESOURCE}/"
_UUID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
).fullmatch
_FEW: Final = 64
"""Waiting requests up to which a head may be large; beyond, its size is checked, at some cost."""


class FrontDoor:
    """Takes every request of the API."""

    def __init__(self, shared: "Shared", *, gate: "Gate | None" = None, hot: bool = True) -> None:
        """Choose the classes of hot calls.

        Args:
            shared: what the calls share.
            gate: asked by every call before anything else; None admits everybody.
            hot: False has the cold application answer everything.

        """
        self._shared = shared
        self._hot = hot
        calls = HotCalls() if gate is None else guarded(gate)
        if shared.hooks is not None:
            calls = hooked(shared.hooks, calls)
        self._read_call, self._create_call, self._endpoint_call = calls
        self._endpoints = HotEndpoints(ENDPOINTS)

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
        headers = self._ordinary(scope)
        if (
            headers is None
            or not takes_json(headers.get("content-type", ""))
            or "content-encoding" in headers
            or "if-match" in headers
            or "if-none-match" in headers
        ):
            return False
        length = body_length(headers)
        if length is not None and not UNANNOUNCED < length <= BODY_LIMIT:
            return False
        call = self._create_call(
            self._shared, protocol, "POST", CreateCall.route, headers,
            scope.client, scope.http_version, started,
        )  # fmt: skip
        call.receive(scope, length)
        return True

    def _go_on(self, request: tuple["Scope", "Exchange", float]) -> None:
        """Begin a read or an endpoint's call, or hand a request to the cold application.

        In the loop's thread.
        """
        if not self._hot or not (
            self._read(*request) or (self._endpoints and self._endpoint(*request))
        ):
            self._shared.bridge.start(*request, read=False)

    def _read(self, scope: "Scope", protocol: "Exchange", started: float) -> bool:
        method, path = scope.method, scope.path
        if method not in READING or not path.startswith(_ORDER):
            return False
        order_id = path[len(_ORDER) :]
        if _UUID(order_id) is None:
            order_id = order_id.lower()  # Swift writes UUIDs in capitals
            if _UUID(order_id) is None:
                return False
        headers = self._ordinary(scope)
        if headers is None or "transfer-encoding" in headers:
            return False
        self._read_call(
            self._shared, protocol, method, path, headers,
            scope.client, scope.http_version, started,
        ).go(order_id)  # fmt: skip
        return True

    def _endpoint(self, scope: "Scope", protocol: "Exchange", started: float) -> bool:
        method, path = scope.method, scope.path
        headers = self._ordinary(scope)
        if headers is None:
            return False
        match = self._endpoints.find(method, path, headers, scope.headers)
        if match is None:
            return False
        self._endpoint_call(
            self._shared, protocol, method, path, headers,
            scope.client, scope.http_version, started,
        ).start(match, scope)  # fmt: skip
        return True

    def _ordinary(self, scope: "Scope") -> dict[str, str] | None:
        """Return the headers of a request that any hot call may take; None if it is cold."""
        if scope.query_string:
            return None
        headers = plain(scope.headers)
        if (
            headers is None
            or not names_host(headers.get("host", NONE))
            or not gives_json(headers.get("accept", "*/*"))
            or not self._may_wait(headers)
        ):
            return None
        return headers

    def _may_wait(self, headers: dict[str, str]) -> bool:
        """Whether a call may keep these headers while it waits; while few wait, it always may."""
        shared = self._shared
        return shared.requests.in_flight + shared.bodies.waiting < _FEW or (
            len(headers) <= ORDINARY_HEADERS and len("".join(headers.values())) <= ORDINARY_HEAD
        )
