"""What counts as an Idempotency-Key."""

import re

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
        '"a";b=1',
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
