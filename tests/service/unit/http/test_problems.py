"""The error document."""

import json

import pytest

from orders import errors
from orders.errors import InvalidRequest, MethodNotAllowed, Overloaded, Problem
from orders.http.problems import render

SET = [
    found
    for found in vars(errors).values()
    if isinstance(found, type) and issubclass(found, Problem) and "name" in vars(found)
]


@pytest.mark.parametrize("problem", SET, ids=lambda problem: problem.name)
def test_every_problem_can_be_rendered(problem: type[Problem]) -> None:
    """Each problem of the set has a document that says its type, title and status."""
    status, headers, body = render(problem("so it is"), "/orders")

    fields = dict(headers)
    assert problem.status == status
    assert b"application/problem+json" == fields[b"content-type"]
    assert str(len(body)).encode() == fields[b"content-length"]
    assert b"no-store" == fields[b"cache-control"]
    assert {
        "type": f"https://orders.dev/problems/{problem.name}",
        "title": problem.title,
        "status": problem.status,
        "detail": "so it is",
        "instance": "/orders",
    } == json.loads(body)


def test_the_names_of_problems_are_unique() -> None:
    """No two problems share a name, nor a title."""
    assert len(SET) == len({problem.name for problem in SET})
    assert len(SET) == len({problem.title for problem in SET})


def test_errors_and_trace_id_are_in_the_document() -> None:
    """The errors of validation come with their pointers, the trace id as it is given."""
    problem = InvalidRequest("two", errors=(("/item", "bad"), ("", "worse")))

    document = json.loads(render(problem, "/orders", "4bf92f3577b34da6a3ce929d0e0e4736")[2])

    assert [
        {"pointer": "/item", "detail": "bad"},
        {"pointer": "", "detail": "worse"},
    ] == document["errors"]
    assert "4bf92f3577b34da6a3ce929d0e0e4736" == document["trace_id"]


def test_an_instance_is_a_uri_reference() -> None:
    """A path with other characters, lone surrogates too, is percent-encoded."""
    document = json.loads(render(InvalidRequest(), "/orders/\u00e9 \udcff")[2])

    assert "/orders/%C3%A9%20%3F" == document["instance"]


def test_a_problem_brings_its_headers() -> None:
    """What belongs to one failure, such as Allow, is among the headers."""
    _, headers, _ = render(MethodNotAllowed(headers=(("allow", "GET"),)), "/orders")

    assert (b"allow", b"GET") in headers


def test_what_may_succeed_later_says_when() -> None:
    """An unavailable service says after how many seconds to try again."""
    _, headers, _ = render(Overloaded(), "/orders")

    assert (b"retry-after", b"1") in headers
