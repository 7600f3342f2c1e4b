"""The hot calls against Litestar: the same requests, good and bad, the same answers.

The servers of `tests.helpers.entry_points` get the same requests in the same order, over sockets,
alone and many in one piece.
"""

import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orders.http.conditional import etag
from tests.helpers.client_requests import CLIENTS, requests
from tests.helpers.entry_points import Door, Doors, open_doors
from tests.helpers.hot_requests import GOOD, IDS, SEEDED, UNKNOWN, catalogue
from tests.helpers.postgres import Databases
from tests.helpers.raw_http import JSON, Answer, Request
from tests.helpers.rfc_clauses import RFC_9110, RFC_9112, Clause
from tests.service.integration.test_clauses import ask


@pytest.fixture(scope="module")
def doors(postgres: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Start them."""
    with open_doors(postgres, tmp_path_factory.mktemp("doors")) as opened:
        yield opened


def test_the_catalogue_is_answered_alike(doors: Doors) -> None:
    """Every request of the catalogue gets the same status, headers and body from all."""
    compared = ((request, doors.compare(request)) for request in catalogue())

    assert [] == [(request, *answers) for request, answers in compared if answers is not None]


def test_the_clauses_are_answered_alike(doors: Doors) -> None:
    """Every request about a clause of HTTP gets the same answers from all."""

    def answers(clause: Clause, door: Door) -> list[Answer]:
        found = []
        for answer in ask(door.port, clause, door.seeded.encode()):
            # That the connection ends is sometimes known only after the head was sent.
            headers = {n: value for n, value in answer.headers if n != "connection"}
            told = answer._replace(headers=tuple(sorted(headers.items())))
            found.append(door.comparable(told, headers.get("content-length", "")))
        return found

    compared = [(c, [answers(c, door) for door in doors]) for c in (*RFC_9110, *RFC_9112)]

    for clause, (hot, public, at_once, cold) in compared:
        assert hot == public == at_once, clause
        assert not clause.asgi or hot == cold, clause


def _near(values: st.SearchStrategy[str], good: str) -> st.SearchStrategy[str]:
    return st.just(good) | values


VISIBLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12).map(str.strip)
MADE_HEADERS = st.lists(
    st.tuples(st.just("Content-Type"), _near(VISIBLE, "application/json"))
    | st.tuples(st.just("Accept"), _near(VISIBLE, "text/html"))
    | st.tuples(st.just("Idempotency-Key"), VISIBLE | st.sampled_from(["a", '"a"', "b"]))
    | st.tuples(st.just("If-None-Match"), _near(VISIBLE, etag(SEEDED))),
    max_size=3,
).map(tuple)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=250),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
DOCUMENTS = st.builds(
    lambda order, more: json.dumps(order | more).encode(),
    st.fixed_dictionaries(
        {},
        optional={
            "item": st.text(max_size=250) | VALUES,
            "quantity": st.integers(-1, 1_000_001) | VALUES,
        },
    ),
    st.just({}) | st.dictionaries(st.text(max_size=3), VALUES, max_size=1),
)
CUT = st.builds(lambda body, at: (body[:at], body[at:]), DOCUMENTS, st.integers(0, 30))
SPOILT = st.builds(
    lambda body, at, piece: body[:at] + piece + body[at + 1 :],
    DOCUMENTS,
    st.integers(0, 30),
    st.binary(max_size=2),
)
MADE = st.one_of(
    st.builds(
        Request,
        st.just("POST"),
        st.just("/orders"),
        MADE_HEADERS.map(lambda headers: (JSON, *headers)) | MADE_HEADERS,
        st.tuples(st.just(GOOD) | DOCUMENTS | SPOILT | st.binary(max_size=40)) | CUT,
        st.just("length") | st.just("chunked"),
    ),
    st.builds(
        Request,
        st.sampled_from(["GET", "HEAD"]),
        st.builds(
            "/orders/{}{}".format,
            st.sampled_from(IDS)
            | st.uuids().map(str)
            | st.from_regex(r"[!-~]{0,40}", fullmatch=True),
            st.sampled_from(["", "", "?", "?a=b"]),
        ),
        st.just(()) | MADE_HEADERS,
    ),
)


@settings(max_examples=300)
@given(request=MADE)
def test_made_requests_are_answered_alike(doors: Doors, request: Request) -> None:
    """Whatever Hypothesis makes of headers, ids and bodies gets the same answer from all."""
    assert doors.compare(request) is None


PIPELINED = (
    *(request for client in CLIENTS.values() for request in requests(client, SEEDED)),
    Request("GET", f"/orders/{UNKNOWN}"),
    Request("GET", "/orders/5"),
    Request("GET", f"/orders/{SEEDED}?"),
    Request("HEAD", "/nothing"),
    Request("POST", "/orders", (JSON,), (b'{"item":"","quantity":0}',)),
    Request("POST", "/orders", (JSON,), (b"{",), "chunked"),
    Request("POST", "/orders", (JSON, ("Idempotency-Key", "a b")), (GOOD,)),
    Request("POST", "/orders/batch", (JSON,), (b"[" + GOOD + b"]",)),
)


@settings(max_examples=100)
@given(story=st.lists(st.sampled_from(PIPELINED), min_size=2, max_size=12))
@example(story=list(PIPELINED))
def test_pipelined_requests_are_answered_alike(doors: Doors, story: list[Request]) -> None:
    """Requests that arrive in one piece are answered by all of them alike, and in order."""
    hot, *others = [door.ask_at_once(story) for door in doors]

    assert [hot] * len(others) == others
