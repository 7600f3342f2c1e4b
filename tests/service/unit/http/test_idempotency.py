"""What counts as an Idempotency-Key."""

import re
from typing import Any

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.errors import MalformedIdempotencyKey
from orders.http.idempotency import LIMIT, PATTERN, parse

PRINTABLE = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255
)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ('"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ('"a key, with a comma"', "a key, with a comma"),
        (r'"a \"quoted\" \\ key"', r'a "quoted" \ key'),
        ("back\\slash", "back\\slash"),
        ('"a";b=1', "a"),
        ('"a";b; *c-.*=?0;  d="x, \\" y";e=@-1;f=1.5;g=:YQ==:;h=T/o:k;i=%"%c3%a9"', "a"),
        ("a;b=1", "a;b=1"),
        ('" "', " "),
        ("k" * LIMIT, "k" * LIMIT),
        (f'"{"k" * LIMIT}"', "k" * LIMIT),
    ],
)
def test_a_key_is_taken_quoted_or_not(value: str, key: str) -> None:
    """A quoted key is unquoted, an unquoted one is taken as it is."""
    assert key == parse(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        '""',
        '"',
        '"open',
        'closed"',
        'a"b',
        r'"\n"',
        '"\\"',
        '"a" ',
        '"a" ;b=1',
        '"a";B=1',
        '"a";',
        '"a";b=',
        '"a";b=1.',
        '"a";b=1234567890123456',
        '"a";b=?2',
        '"a";b="open',
        '"a";b=1, "c"',
        '"a" b',
        "a b",
        "a, a",
        '"a", "a"',
        "tab\there",
        "caf\xe9",
        '"caf\xe9"',
        '"nul\0"',
        "k" * (LIMIT + 1),
        f'"{"k" * (LIMIT + 1)}"',
    ],
)
def test_anything_else_is_malformed(value: str) -> None:
    """What is no single string of 1 to 255 printable ASCII characters is refused."""
    with pytest.raises(MalformedIdempotencyKey) as caught:
        parse(value)

    assert caught.value.detail


@given(PRINTABLE)
def test_every_printable_key_can_be_sent_quoted(key: str) -> None:
    """Any key of printable characters comes back from its quoted form."""
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')

    assert key == parse(f'"{quoted}"')


@given(st.text(st.characters(max_codepoint=0x17F), max_size=300))
def test_the_documented_pattern_is_the_rule(value: str) -> None:
    """The pattern in the OpenAPI document admits exactly what is accepted."""
    try:
        parse(value)
    except MalformedIdempotencyKey:
        accepted = False
    else:
        accepted = True

    assert accepted == (re.fullmatch(PATTERN, value) is not None)


SOME_ITEM = st.from_regex(
    r'"(?:[ -~]{0,6}|\\["\\])"'
    r'(?:; ?[a-z*A-Z][a-z0-9_.*-]{0,2}(?:=[!-~]{0,8}|="[ -~]{0,6}")?){0,3}',
    fullmatch=True,
)


@given(SOME_ITEM)
def test_what_is_quoted_is_an_item_of_structured_fields(value: str) -> None:
    """It is read as a parser of RFC 9651 reads it: taken if it is an Item that is a String."""
    try:
        parsed: Any = http_sf.parse(value.encode(), tltype="item")
        item = parsed[0]
    except ValueError:
        item = None
    try:
        key = parse(value)
    except MalformedIdempotencyKey:
        key = None

    assert (item or None) == key
