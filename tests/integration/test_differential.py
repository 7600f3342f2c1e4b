"""The hot calls against Litestar: the same requests, good and bad, the same answers.

Servers with a database each get the same requests in the same order, over sockets: the service as
it is, the service on Granian's public interface alone, and its cold application over Granian's
ASGI, which shares none of the hot path. What differs by nature (ids, times, trace ids, date, and
the length, as a time without milliseconds is shorter) is replaced by its name before answers are
compared. One thing is meant to differ: a header that is read and is not visible ASCII, which RSGI
hides, is 400.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.http.rsgi import READ
from tests.catalogue import GOOD, IDS, SEEDED, catalogue
from tests.postgres import Databases
from tests.raw import JSON, Answer, Request, exchange
from tests.server import Server

UUID = re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
INSTANT = re.compile(r'(?<="created_at":")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?Z(?=")')


class ColdServer(Server):
    """The service with its cold application alone, over Granian's ASGI."""

    program = (
        "-c",
        """
import sys
from orders import cli, serve
def cold(take, *where):
    return serve.serve_asgi(take.__self__._shared.bridge.app, *where)
serve.serve_rsgi = cold
sys.exit(cli.main())
""",
    )


class PublicServer(Server):
    """The service on a Granian without the names that it does not publish."""

    program = (
        "-c",
        """
import sys
from granian import _granian
assert _granian.CallbackScheduler is not None
from orders import cli
from orders.http import server
server._UNPUBLISHED = (("Gone", "serve_async"),)
sys.exit(cli.main())
""",
    )


class Doors(NamedTuple):
    """The servers' ports, each with the id of its seeded order."""

    hot: tuple[int, str]
    public: tuple[int, str]
    cold: tuple[int, str]

    def ask(self, request: Request) -> tuple[Answer, Answer, Answer]:
        """Return the answers of the hot path, of the public form and of Litestar, comparable."""
        hot, public, cold = (_ask(port, seeded, request) for port, seeded in self)
        return hot, public, cold

    def compare(self, request: Request) -> tuple[Answer, Answer, Answer] | None:
        """Return the answers unless they are as they should be."""
        hot, public, cold = answers = self.ask(request)
        hidden = [n for n, value in request.headers if n.lower() in READ and not value.isascii()]
        if hidden and cold.status != 400:
            as_it_should_be = hot == public and _refuses(hot, hidden[0], request.method)
        else:
            as_it_should_be = hot == public and (bool(hidden) or hot == cold)
        return None if as_it_should_be else answers


def _refuses(answer: Answer, header: str, method: str) -> bool:
    """Whether an answer says that a header cannot be read."""
    told = method == "HEAD" or f'"#/header/{header}"'.encode() in answer.body
    told = told or (header == "Idempotency-Key" and b"malformed-idempotency-key" in answer.body)
    return answer.status == 400 and told


def _ask(port: int, seeded: str, request: Request) -> Answer:
    sent = request._replace(
        path=request.path.replace(SEEDED, seeded),
        headers=tuple((name, value.replace(SEEDED, seeded)) for name, value in request.headers),
    )
    answer = exchange(port, sent)
    trace = dict(answer.headers).get("x-correlation-id", "none: the server itself refused")
    chosen = any(name == "traceparent" for name, _ in request.headers)

    def named(text: str) -> str:
        text = UUID.sub("<id>", text.replace(seeded, SEEDED))
        return INSTANT.sub("<instant>", text if chosen else text.replace(trace, "<trace>"))

    length = str(len(answer.body))
    if request.method == "HEAD":
        length = str(len(exchange(port, sent._replace(method="GET")).body))

    def named_header(name: str, value: str) -> str:
        return "<of the body>" if (name, value) == ("content-length", length) else named(value)

    return Answer(
        answer.status,
        tuple(
            (name, named_header(name, value)) for name, value in answer.headers if name != "date"
        ),
        named(answer.body.decode("latin-1")).encode("latin-1"),
    )


@pytest.fixture(scope="module")
def doors(postgres: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Start them."""
    folder = tmp_path_factory.mktemp("doors")
    servers = [
        kind(folder / f"{kind.__name__}.log", DATABASE_URL=postgres.migrated_database())
        for kind in (Server, PublicServer, ColdServer)
    ]
    found = []
    for server in servers:
        server.wait_for()
        made = exchange(server.port, Request("POST", "/orders", (JSON,), (GOOD,)))
        found.append((server.port, json.loads(made.body)["id"]))
    yield Doors(*found)
    assert [0, 0, 0] == [server.stop() for server in servers]
    postgres.drop_databases()


def test_the_catalogue_is_answered_alike(doors: Doors) -> None:
    """Every request of the catalogue gets the same status, headers and body from all."""
    compared = ((request, doors.compare(request)) for request in catalogue())

    assert [] == [(request, *answers) for request, answers in compared if answers is not None]


def _near(values: st.SearchStrategy[str], good: str) -> st.SearchStrategy[str]:
    return st.just(good) | values


VISIBLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12).map(str.strip)
MADE_HEADERS = st.lists(
    st.tuples(st.just("Content-Type"), _near(VISIBLE, "application/json"))
    | st.tuples(st.just("Accept"), _near(VISIBLE, "text/html"))
    | st.tuples(st.just("Idempotency-Key"), VISIBLE | st.sampled_from(["a", '"a"', "b"]))
    | st.tuples(st.just("If-None-Match"), _near(VISIBLE, f'"{SEEDED}-1"')),
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
