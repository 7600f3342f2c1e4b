"""Fields of log records, as the lines of the service and of its operator have them."""

import json
import logging
import re
import sys
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orders_common.log_fields import Clock, LogFields

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

anything = st.text(st.characters(codec=None))


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    """Make a record of the log."""
    made = logging.LogRecord("orders.x", logging.WARNING, __file__, 1, message, arguments, None)
    vars(made).update(extra)
    return made


@given(st.floats(0, 4e9))
def test_every_instant_is_a_time_stamp(at: float) -> None:
    """The stamp is the instant, cut to milliseconds, however instants follow each other."""
    clock = Clock()
    clock.stamp(1.0)
    stamp = clock.stamp(at)
    exact = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)

    assert STAMP.fullmatch(stamp)
    assert abs(datetime.fromisoformat(stamp) - exact) <= timedelta(milliseconds=1)


def test_a_line_begins_with_when_how_grave_who_and_what() -> None:
    """The names of these fields, and their order, are the same in every line."""
    made = record("hello %s", "you")
    made.created = 1.5
    expected = {
        "time": "1970-01-01T00:00:01.500Z",
        "level": "WARNING",
        "logger": "orders.x",
        "message": "hello you",
    }

    assert list(expected.items()) == list(LogFields().head(made).items())


@given(anything, anything)
def test_any_text_can_be_encoded(message: str, extra: str) -> None:
    """Broken UTF-8 is replaced, in messages as in extra fields."""
    made = record(message, order=extra)
    unmasked = LogFields(lambda text: text)
    fields = unmasked.head(made) | unmasked.extras(made, ())

    assert message.encode("utf-8", "replace").decode() == fields["message"]
    assert extra.encode("utf-8", "replace").decode() == fields["order"]
    json.dumps(fields, ensure_ascii=False).encode()


def test_extra_fields_keep_their_types() -> None:
    """Numbers, truth and nothing stay what they are; anything else is its text."""
    extra = {"n": 1, "x": 0.5, "yes": True, "none": None, "big": 2**70, "path": ["a"]}

    assert extra | {"path": "['a']"} == LogFields().extras(record("m", **extra), ())


def test_extra_fields_cannot_replace_others() -> None:
    """A field called `level` or `time` does not change what the line says of itself."""
    fields = LogFields()
    made = record("m", level="FAKE", time="FAKE", logger="FAKE", order=7)

    assert {"order": 7} == fields.extras(made, fields.head(made))


def test_no_field_has_a_secret() -> None:
    """Message, extra fields and traceback are masked alike."""
    url = "postgresql://me:s3cret@db/orders"
    try:
        raise ValueError(url)  # noqa: TRY301  it is wanted here
    except ValueError:
        made = record("cannot reach %s", url, at=url)
        made.exc_info = sys.exc_info()
    fields = LogFields()
    found = [fields.head(made)["message"], fields.extras(made, ())["at"], fields.exception(made)]

    for text in found:
        assert "s3cret" not in text
        assert "postgresql://***@db/orders" in text
