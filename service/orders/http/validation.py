"""Validation, with its errors worded the same way everywhere.

A pointer that is empty or starts with `/` is a JSON pointer into the body (RFC 6901); one that
starts with `#/path/`, `#/query/` or `#/header/` names a parameter. msgspec stops at the first
error, so there is usually one.
"""

import re
from collections.abc import Hashable, Iterator
from datetime import datetime
from functools import cache
from types import GenericAlias, UnionType
from typing import Annotated, Any, Final, TypeVar, Union, cast, get_args, get_origin

from msgspec import (
    Meta,
    MsgspecError,
    Struct,
    ValidationError,
    convert,
    defstruct,
    field,
    structs,
)
from msgspec.json import Decoder

from orders.errors import InvalidRequest
from orders.http.long_names import LONGEST, long_name

T = TypeVar("T")

_SHOWN: Final = 100
"""Characters of a caller's text that a message repeats."""
_END: Final = 500
"""Characters that are read at each end of a message, as msgspec repeats a whole name in it."""

_NUMBER: Final = int | float
_TIME: Final = Annotated[datetime, Meta(tz=True)]

_PLACE: Final = re.compile(r" - at `\$((?:\.\w+|\[\d+\])*)`$")
_STEP: Final = re.compile(r"\w+")
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_UUID: Final = re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


invalid: Final = InvalidRequest.at
"""Returns the problem for one error at a pointer."""


def decode(decoder: Decoder[T], body: bytes) -> T:
    """Decode a JSON body without conversions, except that 3.0 counts as an integer.

    Raises:
        InvalidRequest: not JSON (RFC 8259), not UTF-8, or not of the decoder's type.

    """
    if not body:
        raise invalid("", "empty; JSON is expected")
    if (name := long_name(body)) is not None:
        raise invalid("", f"the name of the field {name}... has more than {LONGEST} bytes")
    try:
        return _decode(decoder, body)
    except ValidationError as error:
        raise invalid(*_explain(_ends(str(error)).replace("int | float", "int"))) from None
    except UnicodeDecodeError:
        raise invalid("", "not UTF-8") from None
    except (MsgspecError, RecursionError) as error:
        text = str(error)
        raise invalid("", text if text.startswith("JSON") else f"not JSON: {text}") from None


def _decode(decoder: Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except ValidationError as error:
        if "got `float`" not in str(error):
            raise
        kind: Any = decoder.type
        return cast("T", convert(_whole(_loosely(kind).decode(body)), kind))


@cache
def _loosely(kind: Hashable) -> Decoder[Any]:
    """Return a decoder of the same shape that takes floats for integers.

    It stops where the strict one would, so a body becomes no larger than its type allows.
    """
    return Decoder(_loosened(kind))


def _loosened(kind: Any) -> Any:
    if get_origin(kind) is Annotated:
        inner, *metadata = get_args(kind)
        loosened = _loosened(inner)
        return Annotated[(loosened, *metadata)] if loosened == inner else loosened
    if get_origin(kind) in {Union, UnionType}:
        return Union[tuple(map(_loosened, get_args(kind)))]  # noqa: UP007  of as many as there are
    if get_origin(kind) is list:
        return GenericAlias(list, (_loosened(*get_args(kind)),))
    if not (isinstance(kind, type) and issubclass(kind, Struct)):
        return _NUMBER if kind is int else kind
    fields = [
        (found.encode_name, _loosened(found.type), _default(found))
        for found in structs.fields(kind)
    ]
    strict = kind.__struct_config__.forbid_unknown_fields
    return defstruct(kind.__name__, fields, forbid_unknown_fields=strict)


def _default(found: structs.FieldInfo) -> Any:
    given: dict[str, Any] = {
        "default": found.default,
        "default_factory": found.default_factory,
    }
    return field(**given)


def _whole(value: Any) -> Any:
    """Turn floats without a fraction into integers, which they are to JSON Schema and OpenAPI."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_whole(member) for member in value]
        case Struct():
            return {name: _whole(member) for name, member in structs.asdict(value).items()}
        case _:
            return value


def texts(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """Yield each text of a JSON value, with the pointer to it."""
    match value:
        case str():
            yield pointer, value
        case list():
            for index, member in enumerate(value):
                yield from texts(member, f"{pointer}/{index}")
        case dict():
            for name, member in value.items():
                yield from texts(member, f"{pointer}/{name}")


def order_id(text: str, pointer: str) -> str:
    """Return the canonical, lower-case form of a UUID of any version (RFC 9562, 4).

    Raises:
        InvalidRequest: `text`, found at `pointer`, is not a UUID.

    """
    if _UUID.fullmatch(text) is None:
        raise invalid(pointer, "is not a UUID such as 0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d")
    return text.lower()


def timestamp(text: str, pointer: str) -> datetime:
    """Return a time of RFC 3339 with its zone.

    Raises:
        InvalidRequest: `text`, found at `pointer`, is not such a time.

    """
    try:
        at: datetime = convert(text, _TIME)
    except ValidationError:
        plus = "; a + is written %2B in a URL" if " " in text else ""
        raise invalid(
            pointer, f"is not a time with its zone such as 2026-01-31T08:15:30Z{plus}"
        ) from None
    return at


def checked(text: str, kind: Any, pointer: str) -> None:
    """Check the bounds of a parameter.

    Raises:
        InvalidRequest: `text`, found at `pointer`, is outside the bounds of its type.

    """
    try:
        convert(text, kind)
    except ValidationError as error:
        raise invalid(pointer, bare(str(error))) from None


def bare(message: str) -> str:
    """Return one of msgspec's messages as the middle of a sentence."""
    plain = message.replace("`", "")
    return plain if plain.startswith("JSON") else plain[:1].lower() + plain[1:]


def _ends(message: str) -> str:
    """Cut out the middle of a message; each copy of it may have megabytes."""
    return message if len(message) <= 2 * _END else message[:_END] + message[-_END:]


def _explain(message: str) -> tuple[str, str]:
    """Turn one of msgspec's messages into a JSON pointer and what is wrong there."""
    pointer = ""
    if place := _PLACE.search(message):
        pointer = "".join(f"/{step}" for step in _STEP.findall(place[1]))
        message = message[: place.start()]
    if missing := _MISSING.fullmatch(message):
        return f"{pointer}/{missing[1]}", "is required"
    if unknown := _UNKNOWN.fullmatch(message):
        name = unknown[1][:_SHOWN].replace("~", "~0").replace("/", "~1")
        return f"{pointer}/{name}", "is not a known field"
    return pointer, bare(message)
