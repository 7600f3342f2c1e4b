"""What the database has of a Struct's fields."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct, defstruct, json

from orders.columns import ModelError, Stored, columns_of, nul_in, tuple_of, values_of
from orders.http.validation import decode
from orders.model import COLUMNS, NewOrder, Order, compared, values

Text = Annotated[str, Meta(examples=["a"])]
Number = Annotated[int, Meta(ge=1, le=10, examples=[1])]


class Booking(Struct, forbid_unknown_fields=True):
    """A field of each kind."""

    room: Text
    guests: Number
    cents: Annotated[int, Meta(ge=0, le=2**40, examples=[1]), Stored(column="price")]
    starts: Annotated[datetime, Meta(tz=True, examples=["2026-01-31T08:15:30Z"])]
    day: Annotated[date, Meta(examples=["2026-01-31"])]
    share: Annotated[float, Meta(examples=[0.5])]
    kind: Annotated[Literal["day", "night"], Meta(examples=["day"])]
    note: Text | None = None
    nights: Number | None = None
    paid: Annotated[bool, Meta(examples=[True]), Stored(compared=False)] = False


BOOKING = columns_of(Booking)


def test_a_column_follows_from_the_type() -> None:
    """Types, and whether a column may be null, are read from the annotations."""
    assert [
        ("room", "text", False),
        ("guests", "integer", False),
        ("price", "bigint", False),
        ("starts", "timestamp with time zone", False),
        ("day", "date", False),
        ("share", "double precision", False),
        ("kind", "text", False),
        ("note", "text", True),
        ("nights", "integer", True),
        ("paid", "boolean", False),
    ] == [(column.name, column.type, column.nullable) for column in BOOKING]


def test_what_is_compared_is_said_by_the_field() -> None:
    """A field takes part in the comparison of payloads unless it says otherwise."""
    sent = NewOrder("tea", 2)

    assert {"paid"} == {column.field for column in BOOKING if not column.compared}
    assert compared(sent) == compared(Order("id", *values(sent), datetime.now(UTC)))


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Decimal, "a is <class 'decimal.Decimal'>; allowed: str, int"),
        (list[str], "a is list[str]; allowed: str, int"),
        (str | int, "a is str | int; allowed: str, int"),
        (Literal[1, 2], "allowed: str, int"),
        (str, "a has no example"),
        (Annotated[int, Meta(examples=[1])], "a is an int from None to None"),
        (Annotated[int, Meta(ge=0, le=2**63, examples=[1])], "within 64 bits"),
        (Annotated[datetime, Meta(examples=[""])], "a is a datetime without a time zone"),
        (Annotated[Text, Stored(column="created_at")], "a has the column 'created_at'"),
        (Annotated[Text, Stored(column='a"; --')], "allowed: an identifier"),
        (Annotated[Text, Stored(column="a" * 64)], "of at most 63 characters"),
    ],
)
def test_a_field_without_a_column_is_refused_by_name(kind: Any, told: str) -> None:
    """What the database could not hold is an error at once, which names the field."""
    with pytest.raises(ModelError) as error:
        columns_of(defstruct("New", [("a", kind)]))

    assert str(error.value).startswith("New.a ")
    assert told in str(error.value)


def test_two_fields_with_one_column_are_refused_by_name() -> None:
    """One of the two values would be lost."""
    with pytest.raises(ModelError) as error:
        columns_of(defstruct("New", [("a", Text), ("b", Annotated[Text, Stored(column="a")])]))

    assert "New.b has the column 'a', which New.a has already" == str(error.value)


def test_values_are_those_that_the_database_gives_back() -> None:
    """A time is in UTC, as a row has it; all else is as it was sent."""
    local = datetime(2026, 1, 31, 10, tzinfo=timezone(timedelta(hours=2)))
    booking = Booking("a", 2, 3, local, date(2026, 1, 31), 0.5, "day")

    stored = values_of(BOOKING)(booking)

    assert ("a", 2, 3) == stored[:3]
    assert "2026-01-31T08:00:00+00:00" == stored[3].isoformat()


@pytest.mark.parametrize(
    ("names", "values"), [((), ()), (("item",), ("tea",)), (("quantity", "item"), (2, "tea"))]
)
def test_any_number_of_attributes_makes_a_tuple(
    names: tuple[str, ...], values: tuple[Any, ...]
) -> None:
    """None, one or several."""
    assert values == tuple_of(names)(NewOrder("tea", 2))


@pytest.mark.parametrize(
    ("room", "note", "found"),
    [("a", None, None), ("a", "b", None), ("a\0", None, "room"), ("a", "\0", "note")],
)
def test_a_nul_is_found_in_every_text(room: str, note: str | None, found: str | None) -> None:
    """Also in one that may be left out."""
    booking = Booking(room, 2, 3, datetime.now(UTC), date(2026, 1, 31), 0.5, "day", note)

    assert found == nul_in(BOOKING)(booking)


def test_an_order_has_what_was_sent_between_id_and_time() -> None:
    """So that a row of the database is an order."""
    sent = [column.field for column in COLUMNS]

    assert ["id", *sent, "created_at"] == list(Order.__struct_fields__)


def test_whole_floats_are_integers_beside_fields_that_are_left_out() -> None:
    """A default stays one, and an optional integer may be written as 3.0, too."""

    class New(Struct):
        number: Number
        optional: Number | None = None
        given: Number = 5

    decoder = json.Decoder(New)

    assert New(3, None, 5) == decode(decoder, b'{"number": 3.0}')
    assert New(3, 4, 5) == decode(decoder, b'{"number": 3.0, "optional": 4.0}')
