"""What is sent, and which answers are right."""

import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_operator.load import requests
from orders_operator.load.connection import Answer
from orders_operator.load.ledger import Entry, Order
from orders_operator.load.requests import MISMATCH, Create, Read, Requests

ORDER = Order("run-7", "load run-7", 8)
ID = uuid.UUID("0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d")
TOLD = {"id": str(ID), "item": "load run-7", "quantity": 8, "created_at": "2026-01-01T00:00:00Z"}
PROBLEM = "https://orders.dev/problems/"


def create() -> Create:
    """Return a create of the order."""
    return Requests("http://orders").create(ORDER, fresh=False)


def read() -> Read:
    """Return a read of the order."""
    entry = Entry(str(ID), ORDER.key, ORDER.item, ORDER.quantity, 0.0)
    return Requests("http://orders").read(entry, fresh=False)


def answer(status: int, body: object, retry_after: float | None = None) -> Answer:
    """Return an answer with JSON."""
    return Answer(status, json.dumps(body).encode(), retry_after, reused=False)


def test_a_create_has_a_key_and_a_body() -> None:
    """Its bytes are a whole request, at a path below the one of the URL."""
    sent = Requests("http://host:81/a%20b/").create(ORDER, fresh=True).content

    head, _, body = sent.partition(b"\r\n\r\n")
    assert [
        b"POST /a%20b/orders HTTP/1.1",
        b"Host: host:81",
        b"Connection: close",
        b"Content-Type: application/json",
        b'Idempotency-Key: "run-7"',
        b"Content-Length: %d" % len(body),
    ] == head.split(b"\r\n")
    assert {"item": "load run-7", "quantity": 8} == json.loads(body)


def test_a_read_names_the_order() -> None:
    """On a kept-alive connection there is nothing to add."""
    assert b"GET /orders/%b HTTP/1.1\r\nHost: orders\r\n\r\n" % str(ID).encode() == read().content


def test_a_watched_url_is_asked_as_it_is() -> None:
    """With its query, on a connection of its own."""
    expected = b"GET /readyz?verbose HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\n\r\n"

    assert expected == requests.get("http://a:1/readyz?verbose")
    assert requests.get("http://a").startswith(b"GET / HTTP/1.1\r\n")


def test_a_right_answer() -> None:
    """201 with the order that was sent, 200 with the one that was acknowledged."""
    created = create()

    assert created.wrong(answer(201, TOLD)) is None
    assert ID == created.order_id
    assert read().wrong(answer(200, TOLD)) is None


@pytest.mark.parametrize(
    "body",
    [
        TOLD | {"item": "another"},
        TOLD | {"quantity": 9},
        TOLD | {"id": "7"},
        {"id": str(ID)},
        [],
        "text",
    ],
)
def test_another_order_is_a_mismatch(body: object) -> None:
    """Whatever is not what was sent, is not acknowledged and not found again."""
    created = create()

    assert (MISMATCH, None) == (created.wrong(answer(201, body)), created.order_id)
    assert MISMATCH == read().wrong(answer(200, body))


def test_an_acknowledged_order_that_is_not_there_is_a_mismatch() -> None:
    """A 404 says that it is lost; another id that it is another."""
    assert MISMATCH == read().wrong(answer(404, {"type": f"{PROBLEM}order-not-found"}))
    assert MISMATCH == read().wrong(answer(200, TOLD | {"id": str(uuid.UUID(int=1))}))


@pytest.mark.parametrize(
    ("status", "body", "what"),
    [
        (503, {"type": f"{PROBLEM}overloaded"}, "overloaded"),
        (500, {"type": f"{PROBLEM}internal"}, "internal"),
        (502, "<html>", "502"),
        (429, {"type": ""}, "429"),
    ],
)
def test_a_problem_is_told_by_its_type(status: int, body: object, what: str) -> None:
    """Or by the status, where what is between says something else."""
    assert what == create().wrong(answer(status, body)) == read().wrong(answer(status, body))


@pytest.mark.parametrize(
    ("status", "what", "retry_after"),
    [
        (503, "overloaded", 1.0),
        (503, "database-unavailable", 1.0),
        (422, "idempotency-key-reused", None),
        (429, "429", None),
    ],
)
def test_an_order_does_not_exist_where_the_service_says_so(
    status: int, what: str, retry_after: float | None
) -> None:
    """A database that has it is wrong."""
    assert not requests.may_have_created(answer(status, {}, retry_after), what)


@pytest.mark.parametrize(
    ("status", "what", "retry_after"),
    [
        (503, "deadline-exceeded", 1.0),
        (503, "503", None),
        (500, "internal", None),
        (504, "504", None),
        (201, MISMATCH, None),
    ],
)
def test_an_order_may_exist_otherwise(status: int, what: str, retry_after: float | None) -> None:
    """Its end is unknown, and a database that has it is right, too."""
    assert requests.may_have_created(answer(status, {}, retry_after), what)


@given(st.integers(200, 599), st.binary(max_size=50))
def test_any_answer_is_judged(status: int, body: bytes) -> None:
    """None ends in anything but a name."""
    told = Answer(status, body, None, reused=False)

    assert create().wrong(told)
    assert read().wrong(told)
