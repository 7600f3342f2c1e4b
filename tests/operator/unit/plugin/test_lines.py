"""Log lines for people and for programs."""

from datetime import UTC, datetime
from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from orders_operator.plugin.lines import Line, document, readable

AT: Final = datetime(2026, 3, 4, 12, 0, 3, 250_000, UTC)
ACCESS: Final = (
    b'{"time":"2026-03-04T12:00:03.123Z","level":"INFO","logger":"orders.access",'
    b'"message":"GET /orders/{id} 200","method":"GET","route":"/orders/{id}","status":200,'
    b'"path":"/orders/1","duration_ms":3.213,"trace_id":"7f","span_id":"01"}'
)


def line(content: bytes) -> Line:
    """Return a line of a pod."""
    return Line("orders-abc-x2x4z", AT, content)


def text(content: bytes) -> str:
    """Return what a person reads of a line."""
    return readable(line(content), "abc-x2x4z").plain


def test_a_request_is_one_short_line() -> None:
    """What the message says already is left out."""
    expected = (
        "abc-x2x4z 12:00:03.123 INFO    GET /orders/{id} 200"
        " path=/orders/1 duration_ms=3.213 trace_id=7f"
    )
    assert expected == text(ACCESS)


def test_a_path_without_parameters_is_not_repeated() -> None:
    """It is the route."""
    content = b'{"message":"POST /orders 201","level":"INFO","route":"/orders","path":"/orders"}'
    assert "abc-x2x4z 12:00:03.250 INFO    POST /orders 201" == text(content)


def test_an_exception_keeps_its_lines() -> None:
    """Each has the pod in front."""
    content = b'{"level":"ERROR","message":"failed","exception":"Traceback:\\n  x\\nBoom"}'
    expected = [
        "abc-x2x4z 12:00:03.250 ERROR   failed",
        "abc-x2x4z Traceback:",
        "abc-x2x4z   x",
        "abc-x2x4z Boom",
    ]
    assert expected == text(content).split("\n")


def test_what_is_not_json_stays() -> None:
    """The interpreter's last words, or JSON that is not a log line."""
    assert "abc-x2x4z Fatal Python error: Aborted" == text(b"Fatal Python error: Aborted")
    assert 'abc-x2x4z {"a": 1}' == text(b'{"a": 1}')
    assert "abc-x2x4z {not" == text(b"{not")


@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda it: json.encode({"message": it})))
def test_no_line_steers_the_terminal(content: bytes) -> None:
    """No control character comes through, whoever sent it."""
    assert all(char.isprintable() or char == "\t" for char in text(content))


@given(st.binary(max_size=80))
def test_every_line_is_a_document(content: bytes) -> None:
    """`-o json` has one JSON object for each, with the pod and a message."""
    found = json.decode(document(line(content)))

    assert "orders-abc-x2x4z" == found["pod"]
    assert "message" in found


def test_a_document_keeps_what_the_service_wrote() -> None:
    """All fields, and the pod."""
    assert json.decode(ACCESS) | {"pod": "orders-abc-x2x4z"} == json.decode(document(line(ACCESS)))
