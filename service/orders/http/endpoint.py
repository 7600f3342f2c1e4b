"""What an endpoint declares: a plain async function and the facts about it that HTTP needs.

Litestar's handlers are made of the declarations (`handlers.py`), and the OpenAPI document. The
decorator only reads the signature, so that importing an endpoint costs next to nothing and brings
in no framework.
"""

import inspect
from collections.abc import Awaitable, Callable
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from msgspec import Struct

from orders.auth.caller import SCOPES
from orders.errors import (
    ContentTooLarge,
    DatabaseUnavailable,
    DeadlineExceeded,
    Internal,
    InvalidRequest,
    NotAcceptable,
    Overloaded,
    PreconditionFailed,
    Problem,
    RequestTimeout,
    UnsupportedMediaType,
)

T = TypeVar("T")

Place = Literal["path", "query", "header"]

BODY_LIMIT: Final = 64 * 1024
"""Bytes that a request body may have, unless the endpoint says otherwise."""

_EVERYWHERE: Final = (
    InvalidRequest,
    NotAcceptable,
    PreconditionFailed,
    Internal,
    Overloaded,
    DeadlineExceeded,
    DatabaseUnavailable,
)
_WITH_BODY: Final = (RequestTimeout, ContentTooLarge, UnsupportedMediaType)


class Marker(Struct, frozen=True):
    """Where an argument comes from, and its name there."""

    wire: str

    place: ClassVar[Place]


class Path(Marker, frozen=True):
    """A part of the path, `{name}`."""

    place = "path"


class Query(Marker, frozen=True):
    """A query parameter."""

    place = "query"


class Header(Marker, frozen=True):
    """A request header, as text; repeated fields come joined with commas (RFC 9110, 5.3)."""

    place = "header"


class Parameter(Struct, frozen=True):
    """
    An argument of an endpoint beside its body: `name` in Python, `wire` in the request.

    `type` leaves out the None that an optional argument may be.
    """

    name: str
    place: Place
    wire: str
    type: Any
    default: Any
    required: bool


class Reply(Struct, Generic[T], frozen=True, gc=False):
    """An answer: the body before encoding, headers in lower case, 0 for the usual status."""

    body: T | None
    headers: tuple[tuple[str, str], ...] = ()
    status: int = 0


class Endpoint(Struct, Generic[T], frozen=True, kw_only=True):
    """
    One operation of the API.

    `call` takes the OrderService, then `body` unless the endpoint's `body` is None, then the
    parameters by name. `sends` and `also` document response headers and statuses without a body.
    `requires` is the scope that a caller must have, where callers have to show who they are.
    """

    method: str
    path: str
    status: int
    name: str
    summary: str
    description: str
    call: Callable[..., Awaitable[Reply[T]]]
    body: Any
    result: Any
    parameters: tuple[Parameter, ...]
    problems: tuple[type[Problem], ...]
    sends: tuple[str, ...]
    also: tuple[int, ...]
    body_limit: int
    requires: str

    def __call__(self, *args: Any, **kwargs: Any) -> Awaitable[Reply[T]]:
        """Call the function."""
        return self.call(*args, **kwargs)


def endpoint(  # noqa: PLR0913  facts, each named where it is used
    method: str,
    path: str,
    *,
    status: int = 200,
    summary: str,
    requires: str,
    raises: tuple[type[Problem], ...] = (),
    sends: tuple[str, ...] = (),
    also: tuple[int, ...] = (),
    body_limit: int = BODY_LIMIT,
) -> Callable[[Callable[..., Awaitable[Reply[T]]]], Endpoint[T]]:
    """
    Declare an async function to be the operation `method path`.

    Args:
        method: in capitals.
        path: with `{name}` for each `Path` argument.
        status: of a reply that names none.
        summary: one line for the documentation; the docstring is the rest.
        requires: the scope without which nobody may call it.
        raises: problems beyond those that every endpoint may have.
        sends: names of the response headers, each explained in `openapi.py`.
        also: other statuses it answers with, without a body.
        body_limit: bytes the body may have.

    Raises:
        ValueError: there is no such scope.

    """
    if requires not in SCOPES:
        raise ValueError(f"{method} {path} requires {requires!r}; allowed: {', '.join(SCOPES)}")

    def declare(function: Callable[..., Awaitable[Reply[T]]]) -> Endpoint[T]:
        signature = inspect.signature(function)
        body: Any = None
        parameters: list[Parameter] = []
        for argument in list(signature.parameters.values())[1:]:
            annotation = argument.annotation
            marker = _marker(annotation)
            if marker is None:
                body = annotation
                continue
            required = argument.default is argument.empty
            parameters.append(
                Parameter(
                    name=argument.name,
                    place=marker.place,
                    wire=marker.wire,
                    type=_present(annotation),
                    default=None if required else argument.default,
                    required=required,
                )
            )
        common = _EVERYWHERE if body is None else _EVERYWHERE + _WITH_BODY
        return Endpoint(
            method=method,
            path=path,
            status=status,
            name=function.__name__,
            summary=summary,
            description=inspect.cleandoc(function.__doc__ or ""),
            call=function,
            body=body,
            result=get_args(signature.return_annotation)[0],
            parameters=tuple(parameters),
            problems=tuple(dict.fromkeys((*raises, *common))),
            sends=sends,
            also=also,
            body_limit=body_limit,
            requires=requires,
        )

    return declare


def _present(annotation: Any) -> Any:
    """Take None out of an annotated union."""
    inner, *metadata = get_args(annotation)
    if get_origin(inner) not in {Union, UnionType}:
        return annotation
    member = next(member for member in get_args(inner) if member is not NoneType)
    return Annotated[(member, *metadata)]


def _marker(annotation: Any) -> Marker | None:
    if get_origin(annotation) is not Annotated:
        return None
    return next((meta for meta in annotation.__metadata__ if isinstance(meta, Marker)), None)
