"""Names of fields that are too long, found without decoding."""

import json

import pytest

from orders.http.long_names import LONGEST, long_name

LONG = "k" * (LONGEST + 1)
TEACUP = "\N{TEACUP WITHOUT HANDLE}"


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({LONG: 1}),
        json.dumps([{"item": "tea"}] * 500 + [{LONG: 1}]),
        json.dumps([{"item": LONG}, {LONG: 1}]),
        json.dumps({TEACUP + LONG: 1}, ensure_ascii=False),
        json.dumps({TEACUP * LONGEST: 1}),
        json.dumps({'"' * LONGEST: 1}),
        json.dumps({"\\" * LONGEST: 1}),
        json.dumps({'\\"' * LONGEST: 1}),
        '{"' + LONG + '" \t\r\n : 1}',
        '{"a"' + " " * 5_000 + ':"b","' + LONG + '":1}',
        '{"' + " " * 5_000 + '":1,"' + LONG + '":1}',
        '[[[["\\"" , "' + LONG + '": 1',
    ],
    ids=lambda body: body[:12] + body[-12:],
)
def test_a_long_name_is_found(body: str) -> None:
    """Wherever it is, whatever it is made of, and whatever is around it."""
    assert long_name(body.encode())


@pytest.mark.parametrize(
    "body",
    [
        "",
        json.dumps({"k" * LONGEST: 1}),
        json.dumps({"a" * (LONGEST // 2): {"b" * (LONGEST // 2): 1}}),
        json.dumps({"item": LONG}),
        json.dumps({"item": LONG + '":'}),
        json.dumps({"item": '"' * 5_000, "note": ' ": ' * 5_000, "last": "\\" * 5_001}),
        json.dumps([1] * 10_000),
        "[" + " " * 10_000 + "]",
        '{"item"' + "\n" * 10_000 + ':"tea"}',
        '{"item": "tea" ' + " :" * 10_000 + ', "quantity": 1}',
        '"' + LONG,
    ],
    ids=lambda body: body[:12] + body[-12:],
)
def test_anything_else_may_be_long(body: str) -> None:
    """Texts, white space, numbers, and what is no JSON: the decoder is to judge them."""
    assert long_name(body.encode()) is None


def test_its_beginning_is_returned() -> None:
    """It is enough to find the field by, as it is written."""
    assert "k" * 100 == long_name(json.dumps([{"item": LONG}, {LONG: 1}]).encode())
    assert r"\"" * 50 == long_name(json.dumps({'"' * LONGEST: 1}).encode())
    assert "x" + TEACUP * 24 + "\ufffd" == long_name(f'{{"x{TEACUP * LONGEST}":1}}'.encode())
