"""The one place where error documents are written (RFC 9457), whatever answers."""

from typing import Annotated, Final
from urllib.parse import quote

from msgspec import Meta, Struct, json

from orders.errors import TYPE_PREFIX, MethodNotAllowed, NotFound, Problem, Unavailable
from orders.http.asgi import Headers, Scope, correlated

MEDIA_TYPE: Final = "application/problem+json"
READING: Final = frozenset(("GET", "HEAD"))
"""The methods of resources that can only be read."""

_encoder: Final = json.Encoder()


class Violation(Struct, frozen=True):
    """One thing that does not validate."""

    pointer: Annotated[str, Meta(description="A JSON pointer into the body, or a parameter.")]
    detail: Annotated[str, Meta(description="What is wrong there.")]


class ProblemDocument(Struct, frozen=True, omit_defaults=True):
    """What a caller is told of a failure (RFC 9457, 3.1)."""

    type: Annotated[
        str, Meta(description="Names the kind of problem.", extra_json_schema={"format": "uri"})
    ]
    title: Annotated[str, Meta(description="The kind of problem, for people.")]
    status: Annotated[int, Meta(description="The HTTP status.", ge=400, le=599)]
    detail: Annotated[str, Meta(description="What was wrong with this request.")] = ""
    instance: Annotated[
        str,
        Meta(description="The request's path.", extra_json_schema={"format": "uri-reference"}),
    ] = ""
    errors: Annotated[
        tuple[Violation, ...], Meta(description="What does not validate, and where.")
    ] = ()
    trace_id: Annotated[
        str, Meta(description="The trace id under which logs and traces record the request.")
    ] = ""


def problem_type(problem: type[Problem]) -> str:
    """Return the URI that names this kind of problem."""
    return TYPE_PREFIX + problem.name


def document(
    problem: Problem, instance: str, trace_id: str = ""
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return status, headers and body of the answer to a request that failed.

    Args:
        problem: what went wrong.
        instance: the request's path, decoded.
        trace_id: the request's, as in the logs.

    """
    body = _encoder.encode(
        ProblemDocument(
            type=problem_type(type(problem)),
            title=problem.title,
            status=problem.status,
            detail=problem.detail,
            instance=quote(instance, errors="replace"),
            errors=tuple(Violation(pointer, detail) for pointer, detail in problem.errors),
            trace_id=trace_id,
        )
    )
    headers = [
        ("content-type", MEDIA_TYPE),
        ("content-length", str(len(body))),
        ("cache-control", "no-store"),
        *problem.headers,
    ]
    if isinstance(problem, Unavailable):
        headers.append(("retry-after", str(problem.retry_after)))
    return problem.status, headers, body


def render(problem: Problem, instance: str, trace_id: str = "") -> tuple[int, Headers, bytes]:
    """Return the same in ASGI's types."""
    status, headers, body = document(problem, instance, trace_id)
    return status, [(name.encode(), value.encode("latin-1")) for name, value in headers], body


def nothing_there(scope: Scope) -> tuple[int, Headers, bytes]:
    """Return the answer to an unrecorded request for a path that does not exist."""
    return unrecorded(NotFound(f"there is nothing at {scope['path'][:200]}"), scope)


def only_reading(scope: Scope) -> tuple[int, Headers, bytes]:
    """Return the answer to an unrecorded request with a method that is not in `READING`."""
    allow = ", ".join(sorted((*READING, "OPTIONS")))
    if scope["method"] == "OPTIONS":
        return 204, correlated([(b"allow", allow.encode())], scope), b""
    return unrecorded(MethodNotAllowed.of(scope["method"], allow), scope)


def unrecorded(problem: Problem, scope: Scope) -> tuple[int, Headers, bytes]:
    """Return the answer to an unrecorded request that failed."""
    [correlation] = correlated([], scope)
    status, headers, body = render(problem, scope["path"], correlation[1].decode())
    return status, [*headers, correlation], body
