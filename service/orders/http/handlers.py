"""Makes Litestar handlers of the endpoints.

Litestar routes, checks the parameters' types and describes the result in OpenAPI. Where it would
decide differently from the hot path, this module decides with the functions that both use: content
negotiation, unknown query parameters, and strict JSON (Litestar would take "3" for 3).
"""

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, cast, get_args

import msgspec
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler, route
from litestar.params import (
    Body,
    HeaderParameter,
    ParameterKwarg,
    PathParameter,
    QueryParameter,
)
from msgspec import Meta

from orders.auth.caller import NOBODY, Caller
from orders.errors import PreconditionFailed
from orders.http.budget import Held, weight
from orders.http.conditional import check_untagged
from orders.http.endpoint import Endpoint, Parameter, Reply
from orders.http.endpoints import ENDPOINTS
from orders.http.endpoints.orders import PRIVATE
from orders.http.negotiation import check_accept, check_content, not_json
from orders.http.paging import check_query
from orders.http.replies import rendered
from orders.http.validation import decode, invalid, texts
from orders.model import NewOrder

if TYPE_CHECKING:
    from orders.auth.gate import Gate

_JSON: Final = "application/json"
_PARAMETERS: Final[Mapping[str, type[ParameterKwarg]]] = {
    "header": HeaderParameter,
    "path": PathParameter,
    "query": QueryParameter,
}


class StrictRequest(Request[Any, Any, State]):
    """A request whose body is decoded straight into the endpoint's type, without conversions.

    Litestar would keep the bytes until the answer. Here they are dropped once they are decoded,
    and the request's charge for its body is adjusted.
    """

    _sent: bytes | None = None

    async def body(self) -> bytes:
        """Return the body; empty once it is decoded."""
        if self._sent is None:
            self._sent = b"".join([piece async for piece in self.stream()])
        return self._sent

    async def json(self) -> Any:
        """Decode the body to the endpoint's type; works once."""
        sent = await self.body()
        self._sent = b""
        decoded = decode(self.route_handler.opt["decoder"], sent)
        held: Held | None = self.scope.get("orders_held")  # type: ignore[assignment]  # a key of our own
        if held is not None:
            orders = decoded if isinstance(decoded, list) else [decoded]
            if isinstance(orders[0], NewOrder):
                held.became(weight(orders))
        return decoded


def handlers(gate: "Gate | None" = None) -> list[HTTPRouteHandler]:
    """Return a handler for each endpoint; they find the OrderService in `app.state.orders`.

    With a gate, each requires a caller in the scope who has the authorization that it needs.
    """
    return [_handler(endpoint, gate) for endpoint in ENDPOINTS]


def _handler(endpoint: Endpoint, gate: "Gate | None") -> HTTPRouteHandler:
    conditions = _conditions(endpoint)

    async def handle(request: StrictRequest, **arguments: Any) -> Response[Any]:
        if "data" in arguments:
            arguments["body"] = arguments.pop("data")
        if endpoint.body is None and conditions(dict(request.scope["headers"])):
            return _response(endpoint, Reply(None, (PRIVATE,), 304))
        if "Database" in endpoint.takes:
            _refuse_nul(endpoint, arguments)
        reply = await endpoint.call(*_services(endpoint, request), **arguments)
        return _response(endpoint, reply if isinstance(reply, Reply) else Reply(reply))

    handle.__name__ = endpoint.name
    handle.__doc__ = endpoint.description
    _sign(handle, endpoint)
    return route(
        endpoint.path.replace("}", ":str}"),
        http_method=endpoint.method,  # type: ignore[arg-type]
        status_code=200,  # the response has its own
        media_type=_JSON,
        operation_id=_camel(endpoint.name),
        summary=endpoint.summary,
        description=endpoint.description,
        tags=[endpoint.tag],
        guards=[_admit] if gate is None else [_guard(gate), _admit],
        request_class=StrictRequest,
        request_max_body_size=endpoint.body_limit,
        opt={
            "endpoint": endpoint,
            "decoder": msgspec.json.Decoder(endpoint.body),
            "conditions": conditions,
        },
    )(handle)


def _services(endpoint: Endpoint, request: StrictRequest) -> list[Any]:
    """Return the function's arguments that do not come from the request."""
    state = request.app.state
    caller = request.scope.get("orders_caller", NOBODY)
    found = {"OrderService": state.orders, "Database": state.database, "Caller": caller}
    return [found[name] for name in endpoint.takes]


def _refuse_nul(endpoint: Endpoint, arguments: Mapping[str, Any]) -> None:
    """Refuse a NUL, which PostgreSQL cannot hold; the endpoints of orders do so themselves."""
    places = {p.name: f"#/{p.place}/{p.wire}" for p in endpoint.parameters}
    for name, value in arguments.items():
        for pointer, text in texts(msgspec.to_builtins(value), places.get(name, "")):
            if "\0" in text:
                raise invalid(pointer, "has a NUL character")


def _sign(handle: Any, endpoint: Endpoint) -> None:
    """Give the handler the signature from which Litestar takes types and documentation."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    arguments = [inspect.Parameter("request", keyword, annotation=StrictRequest)]
    if endpoint.body is not None:
        arguments.append(
            inspect.Parameter("data", keyword, annotation=Annotated[endpoint.body, Body()])
        )
    arguments += [
        inspect.Parameter(
            parameter.name,
            keyword,
            annotation=Annotated[_type(parameter), _parameter(parameter)],
            default=inspect.Parameter.empty if parameter.required else parameter.default,
        )
        for parameter in endpoint.parameters
    ]
    result = Response[endpoint.result]  # type: ignore[name-defined]
    handle.__signature__ = inspect.Signature(arguments, return_annotation=result)
    handle.__annotations__ = {a.name: a.annotation for a in arguments} | {"return": result}


def _parameter(parameter: Parameter) -> ParameterKwarg:
    """Return a parameter in Litestar's terms; Litestar checks only the bounds of numbers."""
    metas = [meta for meta in parameter.type.__metadata__ if isinstance(meta, Meta)]
    return _PARAMETERS[parameter.place](
        name=parameter.wire,
        ge=next((meta.ge for meta in metas if meta.ge is not None), None),
        le=next((meta.le for meta in metas if meta.le is not None), None),
    )


def _type(parameter: Parameter) -> Any:
    plain = get_args(parameter.type)[0]
    return plain | None if not parameter.required and parameter.default is None else plain


def _guard(gate: "Gate") -> Callable[..., None]:
    """Return a guard that refuses a caller without the scope that the endpoint requires."""

    def check(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        caller: Caller = connection.scope.get("orders_caller", NOBODY)  # type: ignore[assignment]
        gate.check(caller, handler.opt["endpoint"].requires)

    return check


async def _admit(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Refuse media types that the endpoint does not support, before its arguments are read."""
    endpoint: Endpoint = handler.opt["endpoint"]
    headers = dict(connection.scope["headers"])
    check_accept(headers.get(b"accept"))
    if endpoint.body is not None:
        content_type = headers.get(b"content-type")
        check_content(content_type, headers.get(b"content-encoding"))
        handler.opt["conditions"](headers)
        body = await cast("StrictRequest", connection).body()
        if not body:  # Litestar would not decode it at all
            decode(handler.opt["decoder"], body)
        if content_type is None:
            raise not_json(None)
    known = frozenset(p.wire for p in endpoint.parameters if p.place == "query")
    check_query(connection.scope["query_string"], known)


def _conditions(endpoint: Endpoint) -> Callable[[Mapping[bytes, bytes]], bool]:
    """Return a function that checks a request's conditions, and says whether its answer is 304.

    It raises PreconditionFailed if a condition does not hold. Conditions are checked once, before
    the body is read if there is one. An endpoint that takes If-Match checks them itself.
    """
    by_itself = any(parameter.wire == "If-Match" for parameter in endpoint.parameters)
    exists = any(e.method == "GET" and e.path == endpoint.path for e in ENDPOINTS)

    def check(headers: Mapping[bytes, bytes]) -> bool:
        if by_itself:
            return False
        if_match, if_none_match = (
            None if value is None else value.decode("latin-1")
            for value in (headers.get(b"if-match"), headers.get(b"if-none-match"))
        )
        has_it = check_untagged(if_match, if_none_match, exists=exists)
        if has_it and endpoint.method != "GET":
            raise PreconditionFailed
        return has_it

    return check


def _response(endpoint: Endpoint, reply: Reply[Any]) -> Response[bytes]:
    status, headers, body = rendered(endpoint, reply)
    return Response(body, status_code=status, headers=headers, media_type=_JSON)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
