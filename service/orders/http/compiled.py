"""The hot endpoints as straight ASGI functions: decode, call the endpoint, encode, send.

Litestar's request machinery costs more than a whole order does here. What these functions do not
recognise at a glance (another media type, a repeated header, a query string, a body that does not
validate) they hand on, untouched, to the cold application, so that every rule and every
validation error is written once. A differential test holds the two to the same answers. Both wait
for a request's body until its deadline, and no longer (`Bodies`).
"""

import logging
import re
from collections.abc import Awaitable
from time import perf_counter
from typing import Any, Final

import msgspec

from orders.errors import Internal, Problem, RequestTimeout
from orders.http.asgi import App, Receive, Scope, Send, closing, respond
from orders.http.bodies import Bodies
from orders.http.endpoint import Endpoint
from orders.http.health import Health
from orders.http.problems import render
from orders.service import OrderService
from orders.telemetry.requests import Requests

_UUID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
).fullmatch
_JSON: Final = b"application/json"
_ACCEPTED: Final = frozenset((None, b"*/*", _JSON))
_CONTENT_TYPE: Final = (b"content-type", _JSON)

log = logging.getLogger("orders.http")


def compile_endpoint(  # noqa: C901, PLR0913, PLR0915  one straight function is what it is for
    endpoint: Endpoint[Any],
    orders: OrderService,
    requests: Requests,
    health: Health,
    bodies: Bodies,
    cold: App,
) -> App:
    """Make an ASGI function of an endpoint with a JSON body, or with one id in its path.

    Args:
        endpoint: parameters may come from the path (one, last) and from headers.
        orders: handed to the endpoint.
        requests: what records each request.
        health: says whether the process drains when an answer is sent.
        bodies: what waits for the body of each request.
        cold: takes whatever is not plain.

    """
    call = endpoint.call
    route, method, created = endpoint.path, endpoint.method, endpoint.status
    wires = [parameter.wire.lower().encode() for parameter in endpoint.headers]
    path_name = endpoint.path_parameter
    prefix = len(route) - len("{id}") if path_name else 0
    decode = None if endpoint.body is None else msgspec.json.Decoder(endpoint.body).decode
    limit = endpoint.body_limit
    encode = msgspec.json.Encoder().encode
    begin, end, arriving = requests.begin, requests.end, bodies.receive

    def handed_on(
        scope: Scope, message: dict[str, Any], receive: Receive, send: Send, started: float
    ) -> Awaitable[None]:
        scope["orders_started"] = started
        return cold(scope, _replay(message, receive), send)

    async def late(scope: Scope, send: Send, problem: RequestTimeout, started: float) -> None:
        path = scope["path"]
        context = begin(method, route, path, dict(scope["headers"]))
        status, fields, body = render(problem, path, context.trace_id)
        fields.append((b"x-correlation-id", context.trace_id.encode()))
        try:
            await respond(send, status, fields, body)
        finally:
            end(context, method, route, path, status, started, problem.name)

    async def hot(  # noqa: C901, PLR0911, PLR0912, PLR0915  the same
        scope: Scope, receive: Receive, send: Send
    ) -> None:
        started = perf_counter()
        listed = scope["headers"]
        headers = dict(listed)
        if (
            len(headers) != len(listed)
            or scope["query_string"]
            or headers.get(b"accept") not in _ACCEPTED
        ):
            return await cold(scope, receive, send)
        arguments: list[Any] = []
        path: str = scope["path"]
        if path_name is not None:
            identifier = path[prefix:]
            arguments.append(identifier)
            if _UUID(identifier) is None:
                return await cold(scope, receive, send)
        if decode is not None:
            length = headers.get(b"content-length", b"")
            if (
                headers.get(b"content-type") != _JSON
                or not length.isdigit()
                or int(length) > limit
                or b"content-encoding" in headers
            ):
                return await cold(scope, receive, send)
            try:
                message = await arriving(receive, started)
            except RequestTimeout as problem:
                return await late(scope, send, problem, started)
            sent = message.get("body", b"")
            if len(sent) != int(length):  # in pieces, or the caller is gone
                return await handed_on(scope, message, receive, send, started)
            try:
                arguments.append(decode(sent))
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                return await handed_on(scope, message, receive, send, started)
        for wire in wires:
            value = headers.get(wire)
            arguments.append(None if value is None else value.decode("latin-1"))
        context = begin(method, route, path, headers)
        failure = None
        status = 500
        try:
            reply = await call(orders, *arguments)
            status = reply.status or created
            fields = [(name.encode(), value.encode("latin-1")) for name, value in reply.headers]
            body = b""
            if reply.body is not None:
                fields.append(_CONTENT_TYPE)
                body = encode(reply.body)
        except Problem as error:
            failure = error.name
            status, fields, body = render(error, path, context.trace_id)
        except Exception:
            log.exception("%s %s failed", method, route)
            failure = Internal.name
            status, fields, body = render(Internal(), path, context.trace_id)
        try:
            fields.append((b"x-correlation-id", context.trace_id.encode()))
            if health.draining:
                fields = closing(fields)
            await send({"type": "http.response.start", "status": status, "headers": fields})
            await send({"type": "http.response.body", "body": body})
        finally:
            end(context, method, route, path, status, started, failure)
        return None

    return hot


def _replay(message: dict[str, Any], receive: Receive) -> Receive:
    """Make a `receive` that gives back a message that was taken already."""
    taken = [message]

    async def replaying() -> dict[str, Any]:
        return taken.pop() if taken else await receive()

    return replaying
