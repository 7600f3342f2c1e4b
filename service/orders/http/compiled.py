"""The hot endpoints as straight ASGI functions: decode, call the endpoint, encode, send.

Litestar's request machinery costs more than a whole order does here. What these functions do not
recognise at a glance (another media type, a repeated header, a query string, a body that does not
validate) they hand on, untouched, to the cold application, so that every rule and every
validation error is written once. A differential test holds the two to the same answers.
"""

import logging
import re
from time import perf_counter
from typing import Any, Final

import msgspec

from orders.errors import Internal, Problem
from orders.http.asgi import App, Receive, Scope, Send
from orders.http.endpoint import Endpoint
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


def compile_endpoint(  # noqa: C901, PLR0915  one straight function is what it is for
    endpoint: Endpoint[Any], orders: OrderService, requests: Requests, cold: App
) -> App:
    """Make an ASGI function of an endpoint with a JSON body, or with one id in its path.

    Args:
        endpoint: parameters may come from the path (one, last) and from headers.
        orders: handed to the endpoint.
        requests: what records each request.
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
    begin, end = requests.begin, requests.end

    async def hot(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: C901
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
            message = await receive()
            sent = message.get("body", b"")
            if len(sent) != int(length):  # in pieces, or the caller is gone
                return await cold(scope, _replay(message, receive), send)
            try:
                arguments.append(decode(sent))
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                return await cold(scope, _replay(message, receive), send)
        for wire in wires:
            value = headers.get(wire)
            arguments.append(None if value is None else value.decode("latin-1"))
        context = begin(method, route, path, headers)
        problem = None
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
            problem = error.name
            status, fields, body = render(error, path, context.trace_id)
        except Exception:
            log.exception("%s %s failed", method, route)
            problem = Internal.name
            status, fields, body = render(Internal(), path, context.trace_id)
        try:
            fields.append((b"x-correlation-id", context.trace_id.encode()))
            await send({"type": "http.response.start", "status": status, "headers": fields})
            await send({"type": "http.response.body", "body": body})
        finally:
            end(context, method, route, path, status, started, problem)
        return None

    return hot


def _replay(message: dict[str, Any], receive: Receive) -> Receive:
    """Make a `receive` that gives back a message that was taken already."""
    taken = [message]

    async def replaying() -> dict[str, Any]:
        return taken.pop() if taken else await receive()

    return replaying
