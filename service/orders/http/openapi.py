"""The OpenAPI 3.1 document.

Litestar generates paths, parameters and bodies from the handlers; schemas come from msgspec, which
validates by them. The declarations add what Litestar cannot express: the problems that each
operation may answer with, response headers, links and examples. The output depends only on the
code, so that the committed copy can be compared with it.
"""

import json
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import License, Tag

from orders import __version__
from orders.errors import Problem, Unavailable
from orders.http import security
from orders.http.conditional import etag
from orders.http.endpoint import Endpoint, Parameter
from orders.http.endpoints import ENDPOINTS
from orders.http.handlers import handlers
from orders.http.openapi_examples import example, instance
from orders.http.openapi_schemas import Json, deny_nul, schemas_of
from orders.http.problems import MEDIA_TYPE, ProblemDocument, problem_type
from orders.model import RESOURCE, NewOrder, Order

DESCRIPTION: Final = """\
Creates, reads and lists orders. An order never changes.

- Every error is a problem document (RFC 9457), `application/problem+json`; its `type` is one of a
  closed set, listed with each operation.
- Everything that does not validate is listed in `errors`. A `pointer` that is empty or starts with
  `/` is a JSON pointer into the body (RFC 6901); one that starts with `#/path/`, `#/query/` or
  `#/header/` names a parameter.
- `HEAD` works wherever `GET` does. Unknown query parameters are refused.
- Every response has an `X-Correlation-ID`: the trace id under which logs and traces record the
  request. It continues the W3C `traceparent` of the request, if there is one.
"""

_HEADERS: Final[dict[str, Json]] = {
    "X-Correlation-ID": {
        "description": "The trace id of the request, 32 hexadecimal digits.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "example": "4bf92f3577b34da6a3ce929d0e0e4736",
    },
    "Location": {
        "description": "Where the order can be read.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
        "example": f"{RESOURCE}/0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d",
    },
    "Idempotency-Replayed": {
        "description": "`true` when an earlier request with this key created what the answer "
        "contains.",
        "schema": {"type": "string", "const": "true"},
    },
    "ETag": {
        "description": "The entity tag of the order, for `If-None-Match`.",
        "required": True,
        "schema": {"type": "string"},
        "example": etag("0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d"),
    },
    "Cache-Control": {
        "description": "Who may cache the answer, and for how long (RFC 9111): only its caller.",
        "required": True,
        "schema": {"type": "string"},
        "example": "private, max-age=86400, immutable",
    },
    "Link": {
        "description": "Links to newer (`prev`) and older (`next`) orders, if there are any (RFC "
        "8288).",
        "schema": {"type": "string"},
        "example": (
            f'<{RESOURCE}?limit=20&after=0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d>; rel="next"'
        ),
    },
    "Retry-After": {
        "description": "Seconds to wait before trying again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
        "example": Unavailable.retry_after,
    },
}

_OTHER_HEADER: Final[Json] = {"schema": {"type": "string"}}
_TAGS: Final = {RESOURCE.strip("/"): "Create, read and list orders."}

_LINKS: Final[dict[str, Json]] = {
    "create_order": {
        "ReadOrder": {
            "operationId": "readOrder",
            "parameters": {"id": "$response.body#/id"},
            "description": "The order that was created.",
        }
    },
    "create_orders": {
        "ReadFirstOrder": {
            "operationId": "readOrder",
            "parameters": {"id": "$response.body#/0/id"},
            "description": "The first of the orders that were created.",
        }
    },
    "read_order": {
        "ListOlderOrders": {
            "operationId": "listOrders",
            "parameters": {"after": "$response.body#/id"},
            "description": "The orders before this one.",
        },
        "ListNewerOrders": {
            "operationId": "listOrders",
            "parameters": {"before": "$response.body#/id"},
            "description": "The orders after this one.",
        },
    },
}

_DESCRIPTIONS: Final = {
    200: "Found.",
    201: "Created, and committed.",
    304: "The caller already has it; there is no body.",
    400: "The request is not valid; nothing was done.",
    401: "There is no valid credential; nothing else in the request was read.",
    403: "The credential lacks the scope that this requires; nothing was done.",
    404: "There is no such order.",
    406: "The Accept header excludes JSON.",
    408: "The body did not arrive in time; nothing was done.",
    409: "The Idempotency-Key was used before, and an order it created no longer exists.",
    412: "If-Match or If-None-Match does not hold; nothing was done.",
    413: "The body is too large.",
    415: "The body is not declared as JSON, or is compressed.",
    422: "The Idempotency-Key was used before with another payload.",
    500: "A defect, or a failure of this request alone; the log says more.",
    503: "Temporarily unavailable; the same request may succeed later.",
}


@cache
def document(schemes: tuple[str, ...] = ()) -> bytes:
    """Return the document as indented JSON; needs neither configuration nor a database.

    Args:
        schemes: of authentication, of `orders.auth.caller`, any of which a caller must use.

    """
    return (json.dumps(_document(schemes), indent=2, ensure_ascii=False) + "\n").encode()


def _document(schemes: tuple[str, ...]) -> Json:
    tags = sorted({endpoint.tag for endpoint in ENDPOINTS})
    config = OpenAPIConfig(
        title="Orders",
        version=__version__,
        description=DESCRIPTION,
        license=License(name="Apache 2.0", identifier="Apache-2.0"),
        tags=[Tag(name=tag, description=_TAGS.get(tag)) for tag in tags],
    )
    app = Litestar(handlers(), openapi_config=config, logging_config=None)
    found: Json = app.openapi_schema.to_schema()
    generated = found["paths"]
    paths: Json = {}
    for endpoint in ENDPOINTS:
        operation = generated[endpoint.path][endpoint.method.lower()]
        parameters = {parameter.wire: parameter for parameter in endpoint.parameters}
        if "parameters" in operation:
            operation["parameters"] = [
                _parameter(parameter, parameters[parameter["name"]])
                for parameter in operation["parameters"]
            ]
        if endpoint.body is not None:
            operation["requestBody"]["content"] = _json(endpoint.body)
        operation["responses"] = _responses(endpoint, security.PROBLEMS if schemes else ())
        if schemes:
            operation["security"] = security.requirements(schemes, endpoint.requires)
        del operation["deprecated"]
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    found["paths"] = paths
    bodies = [kind for e in ENDPOINTS for kind in (e.body, e.result) if kind is not None]
    found["components"] = {"schemas": schemas_of([NewOrder, Order, ProblemDocument, *bodies])[1]}
    own = {name: _OTHER_HEADER for endpoint in ENDPOINTS for name in endpoint.sends}
    found["components"]["headers"] = _HEADERS | {n: own[n] for n in own if n not in _HEADERS}
    if schemes:
        found["components"]["headers"] |= security.HEADERS
        found["components"]["securitySchemes"] = security.schemes(schemes)
    return {"openapi": found.pop("openapi"), **found}


def _parameter(generated: Json, declared: Parameter) -> Json:
    """Return a parameter: its place from Litestar, the schema of its type from msgspec."""
    [schema], _ = schemas_of([declared.type])
    description = schema.pop("description", f"The {declared.place} parameter.")
    examples = schema.pop("examples", ())
    if declared.place == "query" and "format" not in schema:
        deny_nul(schema)
    parameter = {key: generated[key] for key in ("name", "in", "required")}
    parameter |= {"description": description, "schema": schema}
    if declared.required and examples:  # the docs page would send the example of an optional one
        parameter["example"] = examples[0]
    elif declared.default is not None:
        schema["default"] = declared.default
    return parameter


def _responses(endpoint: Endpoint, more: tuple[type[Problem], ...]) -> Json:
    """Return every response of an operation, by status; `more` are problems beyond its own."""
    success = {} if endpoint.result is None else {"content": _json(endpoint.result)}
    if endpoint.name in _LINKS:
        success["links"] = _LINKS[endpoint.name]
    responses = {endpoint.status: _response(endpoint.status, endpoint.sends, success)}
    for status in endpoint.also:
        responses[status] = _response(status, endpoint.sends, {})
    by_status: dict[int, list[type[Problem]]] = {}
    for problem in (*endpoint.problems, *more):
        by_status.setdefault(problem.status, []).append(problem)
    for status, found in by_status.items():
        headers: tuple[str, ...] = ()
        if issubclass(found[0], Unavailable):
            headers = ("Retry-After",)
        elif status in security.CHALLENGED:
            headers = ("WWW-Authenticate",)
        content = {MEDIA_TYPE: _problems(endpoint, status, found)}
        responses[status] = _response(status, headers, {"content": content})
    return {str(status): responses[status] for status in sorted(responses)}


def _response(status: int, headers: tuple[str, ...], more: Json) -> Json:
    refs = {
        name: {"$ref": f"#/components/headers/{name}"} for name in (*headers, "X-Correlation-ID")
    }
    known = _DESCRIPTIONS.get(status) or f"{HTTPStatus(status).phrase}."
    return {"description": known, "headers": refs, **more}


def _problems(endpoint: Endpoint, status: int, problems: list[type[Problem]]) -> Json:
    """Return the media type object of the problems that share a status."""
    narrowed = {
        "type": {"enum": [problem_type(problem) for problem in problems]},
        "status": {"const": status},
    }
    reference = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        "schema": {"allOf": [reference, {"properties": narrowed}]},
        "examples": {
            problem.name: {
                "summary": problem.title,
                "value": example(endpoint, problem),
            }
            for problem in problems
        },
    }


def _json(type_: Any) -> Json:
    """Return the content object of a JSON body, with the example its fields make."""
    [schema], schemas = schemas_of([type_])
    return {"application/json": {"schema": schema, "example": instance(schema, schemas)}}
