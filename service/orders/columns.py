"""The database columns of a Struct's fields, derived once, when the Struct is defined.

A field's column follows from its type: `Annotated[int, Meta(ge=1, le=10)]` is an integer that is
never null, `Annotated[str | None, Meta(max_length=500)] = None` a text that may be. `Stored` in
the metadata says what does not follow from the type. Code that reads or writes single fields is
derived from these columns, so there is no second list of them.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from msgspec import Meta, Struct, structs

_TYPES: Final = {
    str: "text",
    bool: "boolean",
    float: "double precision",
    date: "date",
    datetime: "timestamp with time zone",
}
_SUPPORTED: Final = "str, int, bool, float, date, datetime and Literal of str, each also | None"
RESERVED: Final = ("id", "created_at", "sent_ms", "sent_key", "sent_subject")
"""Names of columns that are the service's own."""
_OWN: Final = ", ".join(RESERVED)
_LONGEST: Final = 63
"""PostgreSQL cuts off the rest of a longer name."""
_INTEGER: Final = 2**31
_BIGINT: Final = 2**63


class ModelError(TypeError):
    """A Struct has a field that no column can hold; the message names it."""


class Stored(Struct, frozen=True):
    """Metadata of a field: facts about its column that do not follow from its type."""

    column: str = ""
    """The column's name; the field's name if empty."""
    compared: bool = True
    """Whether a different value under a used Idempotency-Key makes a different payload."""


class Column(Struct, frozen=True):
    """One field and its column. `wire` is its name in JSON, `type` PostgreSQL's name of the type.

    `kind` is the field's Python type, and `meta` its bounds, description and examples.
    """

    field: str
    wire: str
    name: str
    kind: type
    type: str
    nullable: bool
    compared: bool
    meta: Meta

    @property
    def quoted(self) -> str:
        """The column's name, quoted for SQL, so that it may be a keyword."""
        return f'"{self.name}"'

    @property
    def example(self) -> Any:
        """The first example of the field."""
        return (self.meta.examples or [None])[0]


def columns_of(kind: type[Struct]) -> tuple[Column, ...]:
    """Return the columns of a Struct's fields, in their order.

    Raises:
        ModelError: a field has a type that no column has, an int without bounds, no example, or
            the column of another field.

    """
    columns: dict[str, Column] = {}
    for field in structs.fields(kind):
        column = _column(kind.__name__, field)
        other = columns.setdefault(column.name, column)
        if other is not column:
            raise ModelError(
                f"{kind.__name__}.{field.name} has the column {column.name!r},"
                f" which {kind.__name__}.{other.field} has already"
            )
    return tuple(columns.values())


def tuple_of(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that makes a tuple of an object's attributes."""
    if not names:
        return lambda _: ()
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda found: (get(found),)


def values_of(columns: Sequence[Column]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that makes a tuple of an object's values as the database returns them."""
    get = tuple_of([column.field for column in columns])
    if all(column.kind is not datetime for column in columns):
        return get
    return lambda found: tuple(map(_in_utc, get(found)))


def nul_in(columns: Iterable[Column]) -> Callable[[Any], str | None]:
    """Return a function that finds the JSON name of a text with a NUL, which no column can hold.

    As a pattern of the model the check would cost 650 ns a field; here it costs a tenth of that.
    """
    texts = [(c.wire, attrgetter(c.field)) for c in columns if c.kind is str]

    def find(struct: Any) -> str | None:
        for wire, get in texts:
            text = get(struct)
            if text is not None and "\0" in text:
                return wire
        return None

    return find


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _column(struct: str, field: structs.FieldInfo) -> Column:
    where = f"{struct}.{field.name}"
    plain, metadata = _without_metadata(field.type)
    plain, nullable = _without_none(plain)
    plain, more = _without_metadata(plain)
    metadata += more
    meta = next((one for one in metadata if isinstance(one, Meta)), Meta())
    stored = next((one for one in metadata if isinstance(one, Stored)), Stored())
    kind = _kind(where, plain)
    name = stored.column or field.name
    is_identifier = name.isidentifier() and name.isascii() and len(name) <= _LONGEST
    if name in RESERVED or not is_identifier:
        raise ModelError(
            f"{where} has the column {name!r}; allowed: an identifier of at most {_LONGEST}"
            f" characters, except {_OWN}"
        )
    if not meta.examples:
        raise ModelError(f"{where} has no example; allowed: Meta(examples=[...])")
    if kind is datetime and meta.tz is not True:
        raise ModelError(f"{where} is a datetime without a time zone; allowed: Meta(tz=True)")
    return Column(
        field=field.name,
        wire=field.encode_name,
        name=name,
        kind=kind,
        type=_integer(where, meta) if kind is int else _TYPES[kind],
        nullable=nullable,
        compared=stored.compared,
        meta=meta,
    )


def _without_metadata(kind: Any) -> tuple[Any, list[Any]]:
    if get_origin(kind) is not Annotated:
        return kind, []
    plain, *metadata = get_args(kind)
    return plain, metadata


def _without_none(kind: Any) -> tuple[Any, bool]:
    if get_origin(kind) not in {Union, UnionType}:
        return kind, False
    members = [member for member in get_args(kind) if member is not NoneType]
    return (members[0] if len(members) == 1 else kind), NoneType in get_args(kind)


def _kind(where: str, plain: Any) -> type:
    if get_origin(plain) is Literal and all(isinstance(one, str) for one in get_args(plain)):
        return str
    if plain is int or (isinstance(plain, type) and plain in _TYPES):
        kind: type = plain
        return kind
    raise ModelError(f"{where} is {plain!r}; allowed: {_SUPPORTED}")


def _integer(where: str, meta: Meta) -> str:
    """Return the integer type that holds every value within the bounds."""
    least = meta.ge if meta.ge is not None else meta.gt
    most = meta.le if meta.le is not None else meta.lt
    if least is not None and most is not None:
        if least >= -_INTEGER and most < _INTEGER:
            return "integer"
        if least >= -_BIGINT and most < _BIGINT:
            return "bigint"
    raise ModelError(
        f"{where} is an int from {least} to {most}; allowed: bounds within 64 bits, such as"
        " Meta(ge=0, le=100)"
    )
