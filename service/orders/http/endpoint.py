"""What an endpoint declares: a plain async function and the facts about it that HTTP needs.

Litestar's handlers (`handlers.py`) and the OpenAPI document are made from the declarations. The
decorator only reads the signature, so importing an endpoint costs next to nothing and brings in no
framework.
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
from orders.http import hot_shape

T = TypeVar("T")

Place = Literal["path", "query", "header"]

BODY_LIMIT: Final = hot_shape.BODY_LIMIT
"""Bytes that a request body may have, unless the endpoint says otherwise."""

SERVICES: Final = ("OrderService", "Database", "Caller")
"""The types of the first arguments, which are not read from the request."""

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
    """An argument of an endpoint beside its body: `name` in Python, `wire` in the request.

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


Function = Callable[..., Awaitable[Any]]
"""Returns a result, or a `Reply` with it."""


class DeclarationError(TypeError):
    """An endpoint's declaration contradicts itself, or another one; names the endpoint."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """One operation of the API.

    `call` takes what `takes` names, of `SERVICES`, then `body` unless the endpoint's `body` is
    None, then the parameters by name. `sends` and `also` document response headers and statuses
    without a body.
    `requires` is the scope that a caller must have, where callers have to show who they are.
    The requests of a `hot` one that are what ordinary clients send do not pass through Litestar.
    """

    method: str
    path: str
    status: int
    name: str
    summary: str
    description: str
    call: Function
    takes: tuple[str, ...]
    body: Any
    result: Any
    parameters: tuple[Parameter, ...]
    problems: tuple[type[Problem], ...]
    sends: tuple[str, ...]
    also: tuple[int, ...]
    body_limit: int
    requires: str
    hot: bool

    @property
    def tag(self) -> str:
        """The group of the documentation that it belongs to: the first part of its path."""
        return self.path.split("/")[1] or "root"

    def __call__(self, *args: Any, **kwargs: Any) -> Awaitable[Any]:
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
    hot: bool = False,
) -> Callable[[Function], Endpoint]:
    """Declare an async function to be the operation `method path`.

    Args:
        method: in capitals.
        path: with `{name}` for each `Path` argument.
        status: of a reply that names none.
        summary: one line for the documentation; the docstring is the rest.
        requires: the scope without which nobody may call it.
        raises: problems beyond those that every endpoint may have.
        sends: names of the response headers, of which `openapi.py` explains those of orders.
        also: other statuses it answers with, without a body.
        body_limit: bytes the body may have.
        hot: whether ordinary requests take the short path, without Litestar.

    Raises:
        ValueError: there is no such scope.
        DeclarationError: the function does not fit the path, or may not be hot.

    """
    if requires not in SCOPES:
        raise ValueError(f"{method} {path} requires {requires!r}; allowed: {', '.join(SCOPES)}")

    def declare(function: Function) -> Endpoint:
        signature = inspect.signature(function)
        takes: list[str] = []
        body: Any = None
        parameters: list[Parameter] = []
        for argument in signature.parameters.values():
            annotation = argument.annotation
            marker = _marker(annotation)
            if marker is None and (name := _name(annotation)) in SERVICES:
                takes.append(name)
                continue
            if marker is None:
                if argument.name != "body" or isinstance(annotation, str):
                    raise DeclarationError(
                        f"{function.__name__}({argument.name}: {_name(annotation)}): allowed:"
                        f" {', '.join(SERVICES)}, Annotated[..., Path(), Query() or Header()],"
                        " and `body`, without `from __future__ import annotations`"
                    )
                body = annotation
                continue
            if marker.place == "path" and get_args(annotation)[0] is not str:
                raise DeclarationError(
                    f"{function.__name__}({argument.name}) is a part of the path; allowed: str"
                )
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
        _check_path(function.__name__, path, parameters)
        if hot and (unfit := hot_shape.unfit(path, body, parameters, body_limit)):
            raise DeclarationError(
                f"{function.__name__} is hot and has {unfit}; a hot endpoint may have"
                f" {hot_shape.ALLOWED}"
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
            takes=tuple(takes),
            body=body,
            result=_result(signature.return_annotation),
            parameters=tuple(parameters),
            problems=tuple(dict.fromkeys((*raises, *common))),
            sends=sends,
            also=also,
            body_limit=body_limit,
            requires=requires,
            hot=hot,
        )

    return declare


def _check_path(name: str, path: str, parameters: list[Parameter]) -> None:
    given = {parameter.wire for parameter in parameters if parameter.place == "path"}
    parts = {part[1:-1] for part in path.split("/") if part.startswith("{")}
    if not path.startswith("/") or parts != given:
        raise DeclarationError(
            f"{name}: {path} has the parts {sorted(parts)}, the function takes {sorted(given)}"
        )


def _result(annotation: Any) -> Any:
    """Return the type of a result, which may stand alone: `Reply` adds headers and a status."""
    found = get_args(annotation)[0] if get_origin(annotation) is Reply else annotation
    return None if found is NoneType else found


def _name(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "?")


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
