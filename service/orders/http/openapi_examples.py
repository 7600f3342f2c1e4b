"""The examples of the OpenAPI document: what the service really sends and answers.

Those of bodies follow from the examples of their fields, those of problems from the classes that
are raised.
"""

import json
from typing import Any, Final

import msgspec

from orders.errors import (
    ContentTooLarge,
    DatabaseUnavailable,
    InvalidRequest,
    MalformedIdempotencyKey,
    OrderNotFound,
    Overloaded,
    Problem,
    RequestTimeout,
    UnsupportedMediaType,
)
from orders.http import security
from orders.http.endpoint import Endpoint
from orders.http.idempotency import wrong_length
from orders.http.negotiation import not_json
from orders.http.openapi_schemas import Json, schemas_of
from orders.http.problems import render
from orders.http.validation import decode, invalid

_ID: Final = "0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d"
_TRACE_ID: Final = "4bf92f3577b34da6a3ce929d0e0e4736"

_DETAILS: Final[dict[type[Problem], str]] = {
    MalformedIdempotencyKey: wrong_length(300).detail,
    **security.DETAILS,
    OrderNotFound: OrderNotFound.of(_ID).detail,
    RequestTimeout: RequestTimeout.after(5).detail,
    UnsupportedMediaType: not_json(b"text/plain").detail,
    Overloaded: Overloaded.of(8192).detail,
    DatabaseUnavailable: DatabaseUnavailable.away(6).detail,
}
_PLAIN: Final = {"string": "text", "integer": 1, "number": 1.5, "boolean": True}
"""The example of each type, for fields without one of their own."""


def instance(schema: Json, schemas: Json) -> Any:
    """Return an example of a schema, which may refer to others."""
    if "$ref" in schema:
        return instance(_referred(schema, schemas), schemas)
    if shown := schema.get("examples") or schema.get("enum"):
        return shown[0]
    if "anyOf" in schema:
        return instance(schema["anyOf"][0], schemas)
    if schema.get("type") == "array":
        return [instance(schema["items"], schemas)]
    if schema.get("type") in _PLAIN:
        return schema.get("minimum", _PLAIN[schema["type"]])
    return {name: instance(field, schemas) for name, field in schema.get("properties", {}).items()}


def _referred(schema: Json, schemas: Json) -> Json:
    found: Json = schemas[schema["$ref"].rpartition("/")[2]]
    return found


def example(endpoint: Endpoint, problem: type[Problem]) -> Json:
    """Return the document of a problem that a request for the endpoint may have."""
    return dict(json.loads(render(_problem(endpoint, problem), path_of(endpoint), _TRACE_ID)[2]))


def _problem(endpoint: Endpoint, problem: type[Problem]) -> Problem:
    if problem is InvalidRequest:
        return _invalid(endpoint)
    if problem is ContentTooLarge:
        return ContentTooLarge.of(endpoint.body_limit)
    return problem(_DETAILS[problem]) if problem in _DETAILS else problem()


def _invalid(endpoint: Endpoint) -> Problem:
    """Return the problem for a request that is wrong in the likeliest place."""
    for parameter in endpoint.parameters:
        [schema], _ = schemas_of([parameter.type])
        pointer = f"#/{parameter.place}/{parameter.wire}"
        if schema.get("format") == "uuid" and parameter.place == "path":
            return invalid(pointer, f"is not a UUID such as {_ID}")
        if "maximum" in schema:
            return invalid(pointer, f"expected int <= {schema['maximum']}")
    if endpoint.body is None:
        return invalid("#/query/colour", "is not a known parameter; known: none")
    [schema], schemas = schemas_of([endpoint.body])
    try:
        decode(msgspec.json.Decoder(endpoint.body), json.dumps(_wrong(schema, schemas)).encode())
    except Problem as problem:
        return problem
    return InvalidRequest("the body does not validate")


def _wrong(schema: Json, schemas: Json) -> Any:
    """Return an example with a number that is too small, or null where it has none."""
    if "$ref" in schema:
        return _wrong(_referred(schema, schemas), schemas)
    if schema.get("type") == "array":
        return [_wrong(schema["items"], schemas)]
    for name, field in schema.get("properties", {}).items():
        if "minimum" in field:
            return instance(schema, schemas) | {name: field["minimum"] - 1}
    return None


def path_of(endpoint: Endpoint) -> str:
    """Return an example of the endpoint's path."""
    path = endpoint.path
    for parameter in endpoint.parameters:
        if parameter.place == "path":
            [schema], schemas = schemas_of([parameter.type])
            path = path.replace(f"{{{parameter.wire}}}", str(instance(schema, schemas)))
    return path
