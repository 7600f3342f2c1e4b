"""What does not validate, and how that is said."""

import tracemalloc

import msgspec
import pytest

from orders.errors import InvalidRequest
from orders.http.endpoints.orders import Batch
from orders.http.validation import decode, order_id
from orders.model import NewOrder

ONE = msgspec.json.Decoder(NewOrder)
MANY: msgspec.json.Decoder[list[NewOrder]] = msgspec.json.Decoder(Batch)
GOOD = b'{"item":"tea","quantity":3}'


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        (b"", "", "empty; JSON is expected"),
        (b"{", "", "not JSON: Input data was truncated"),
        (b"null", "", "expected object, got null"),
        (b"[]", "", "expected object, got array"),
        (b"[" * 60_000, "", "expected object, got array"),
        (GOOD + b"x", "", "JSON is malformed: trailing characters (byte 28)"),
        (b"\xef\xbb\xbf" + GOOD, "", "JSON is malformed: invalid character (byte 0)"),
        (b'{"item":"tea"}', "/quantity", "is required"),
        (b'{"item":"tea","quantity":0}', "/quantity", "expected int >= 1"),
        (b'{"item":"tea","quantity":1000001}', "/quantity", "expected int <= 1000000"),
        (b'{"item":"tea","quantity":"3"}', "/quantity", "expected int, got str"),
        (b'{"item":"tea","quantity":true}', "/quantity", "expected int, got bool"),
        (b'{"item":"tea","quantity":3.5}', "/quantity", "expected int, got float"),
        (b'{"item":"tea","quantity":1' + b"0" * 60 + b"}", "/quantity", "expected int <= 1000000"),
        (b'{"item":"tea","quantity":1e999}', "/quantity", "number out of range"),
        (
            b'{"item":"tea","quantity":NaN}',
            "",
            "JSON is malformed: invalid character (byte 25)",
        ),
        (b'{"item":"","quantity":3}', "/item", "expected str of length >= 1"),
        (b'{"item":"%b","quantity":3}' % (b"x" * 201), "/item", "expected str of length <= 200"),
        (b'{"item":null,"quantity":3}', "/item", "expected str, got null"),
        (b'{"item":"tea","quantity":3,"a/b~c":1}', "/a~1b~0c", "is not a known field"),
    ],
)
def test_an_error_is_pointed_at(body: bytes, pointer: str, detail: str) -> None:
    """Whatever is wrong with a body is told with a JSON pointer to it."""
    with pytest.raises(InvalidRequest) as caught:
        decode(ONE, body)

    assert ((pointer, detail),) == caught.value.errors


@pytest.mark.parametrize(
    "body",
    [
        b'{"item":"\xff","quantity":3}',
        b'{"item":"\xed\xa0\x80","quantity":3}',
        b'{"item":"\xff","quantity":3.0}',
        b'{"quantity":3.0,"item":"\xff"}',
        rb'{"item":"\ud800","quantity":3}',
        b'{"item":"a\nb","quantity":3}',
    ],
)
def test_text_that_is_no_unicode_is_refused(body: bytes) -> None:
    """Bytes that are no UTF-8, lone surrogates and raw control characters are not JSON."""
    with pytest.raises(InvalidRequest) as caught:
        decode(ONE, body)

    assert [""] == [pointer for pointer, _ in caught.value.errors]


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        (b"[]", "", "expected array of length >= 1"),
        (b"{}", "", "expected array, got object"),
        (b"[%b,3]" % GOOD, "/1", "expected object, got int"),
        (b'[%b,{"item":"tea"}]' % GOOD, "/1/quantity", "is required"),
        (b'[%b,{"item":"","quantity":3}]' % GOOD, "/1/item", "expected str of length >= 1"),
        (b'[%b,{"x":3}]' % GOOD, "/1/x", "is not a known field"),
        (b"[%b]" % b",".join([GOOD] * 1001), "", "expected array of length <= 1000"),
    ],
)
def test_an_error_in_a_batch_is_pointed_at(body: bytes, pointer: str, detail: str) -> None:
    """A pointer into a batch has the index of the order."""
    with pytest.raises(InvalidRequest) as caught:
        decode(MANY, body)

    assert ((pointer, detail),) == caught.value.errors


def test_a_long_name_is_cut() -> None:
    """A message does not repeat a field's name of any length."""
    with pytest.raises(InvalidRequest) as caught:
        decode(ONE, b'{"%b":1}' % (b"x" * 4_000))

    assert "/" + "x" * 100 == caught.value.errors[0][0]


@pytest.mark.parametrize("number", [b"3.0", b"3e0", b"0.3e1"])
def test_a_float_without_a_fraction_is_an_integer(number: bytes) -> None:
    """What JSON Schema counts as an integer is taken for one, in a batch too."""
    body = b'{"item":"tea","quantity":%b}' % number

    assert NewOrder("tea", 3) == decode(ONE, body)
    assert [NewOrder("tea", 3)] * 2 == decode(MANY, b"[%b,%b]" % (GOOD, body))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'[{"item":"tea","quantity":3.0},{"item":3.0,"quantity":3}]', "/1/item"),
        (b'[{"item":"tea","quantity":3.0},{"item":"tea","quantity":1e7}]', "/1/quantity"),
        (b'[{"item":"tea","quantity":3.0},{"item":"tea","quantity":1e999}]', "/1/quantity"),
        (b'[{"item":"tea","quantity":3.0},{"item":"tea","quantity":"3"}]', "/1/quantity"),
        (b'[{"item":"tea","quantity":3.0},' + b"[" * 60_000, "/1"),
    ],
)
def test_such_a_float_excuses_nothing_else(body: bytes, pointer: str) -> None:
    """What comes after is judged as ever."""
    with pytest.raises(InvalidRequest) as caught:
        decode(MANY, body)

    assert [pointer] == [pointer for pointer, _ in caught.value.errors]


def test_such_a_float_costs_no_memory() -> None:
    """What follows it is not parsed beyond what an order has room for."""
    body = b'[{"item":"tea","quantity":3.0},' + b",".join([b"{}"] * 300_000) + b"]"
    tracemalloc.start()
    with pytest.raises(InvalidRequest, match="/1/item: is required"):
        decode(MANY, body)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < len(body)


def test_a_long_name_is_not_decoded() -> None:
    """The decoder's error would repeat the name of a field twice, however long it is."""
    body = '[{"\N{TEACUP WITHOUT HANDLE}%s":1}]' % ("k" * 500_000)
    sent = body.encode()
    tracemalloc.start()
    with pytest.raises(InvalidRequest, match="has more than 4096 bytes"):
        decode(MANY, sent)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 64 * 1024


def test_a_good_body_is_decoded() -> None:
    """A body that validates becomes what it says, the last of two equal names counting."""
    assert NewOrder("tea", 4) == decode(ONE, b'{"item":"tea","quantity":3,"quantity":4}')


def test_an_id_may_have_any_case_and_version() -> None:
    """A UUID of another version and in capitals becomes lower case."""
    text = "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"

    assert text.lower() == order_id(text, "#/path/id")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "f81d4fae7dec11d0a76500a0c91e6bf6",
        "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bfg",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf6\n",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf\u0666",
    ],
)
def test_another_form_is_no_id(text: str) -> None:
    """Only the canonical text of a UUID is an id."""
    with pytest.raises(InvalidRequest) as caught:
        order_id(text, "#/path/id")

    assert "#/path/id" == caught.value.errors[0][0]
