"""RFC 9110 and RFC 9112 against the running service, over sockets."""

import json
import re
import socket
from collections.abc import Iterator
from typing import BinaryIO

import pytest

from tests.helpers.raw_http import JSON, Answer, Request, exchange
from tests.helpers.rfc_clauses import METRICS_PORT, RFC_9110, RFC_9112, SEEDED, Clause
from tests.helpers.server import Server

AGAIN = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
"""Another request, which ends the connection: so nothing has to be waited for."""
LIMIT = 15.0
"""Seconds for an answer."""
CLAUSES = [(True, clause) for clause in (*RFC_9110, *RFC_9112)]
CLAUSES += [(False, clause) for clause in METRICS_PORT]


@pytest.fixture(scope="module")
def seeded(server: Server) -> bytes:
    """Create an order; its id."""
    made = exchange(
        server.port, Request("POST", "/orders", (JSON,), (b'{"item":"a","quantity":1}',))
    )
    return str(json.loads(made.body)["id"]).encode()


def read(reader: BinaryIO, method: bytes) -> Answer | None:
    """Read one answer to a request with this method; None at the end of the connection."""
    line = reader.readline()
    if not line:
        return None
    status = int(line.split()[1])
    headers = {}
    while (field := reader.readline()) not in {b"\r\n", b""}:
        name, _, value = field.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    bodiless = method == b"HEAD" or status < 200 or status in {204, 304}
    body = b"" if bodiless else reader.read(int(headers["content-length"]))
    return Answer(status, tuple(headers.items()), body)


def ask(port: int, clause: Clause, seeded: bytes) -> Iterator[Answer]:
    """Send what a clause is about, and yield what is answered until the connection ends."""
    first, *more = (piece.replace(SEEDED, seeded) for piece in clause.sent)
    method = first.split(b" ", 1)[0]
    with socket.create_connection(("127.0.0.1", port), LIMIT) as connection:
        connection.sendall(first)
        with connection.makefile("rb") as reader:
            for piece in more:
                if answer := read(reader, method):
                    yield answer
                connection.sendall(piece)
            if not clause.closes:
                connection.sendall(AGAIN)
            while answer := read(reader, method):
                yield answer
                method = b"GET"  # none but the first is HEAD


@pytest.mark.parametrize(
    ("api", "clause"),
    [
        pytest.param(api, clause, id=f"{'' if api else 'metrics '}{clause.section} {clause.says}")
        for api, clause in CLAUSES
    ],
)
def test_clause(
    server: Server,
    seeded: bytes,
    api: bool,  # noqa: FBT001  a parameter of the test
    clause: Clause,
) -> None:
    """The answers have these statuses and headers, and then the connection goes on, or ends."""
    answers = list(ask(server.port if api else server.metrics_port, clause, seeded))
    statuses = [answer.status for answer in answers]

    assert [*clause.statuses, *([] if clause.closes else [200])] == statuses
    if clause.statuses:
        answer = answers[len(clause.statuses) - 1]
        headers = dict(answer.headers)
        assert [] == [
            (name, headers.get(name))
            for name, value in clause.has
            if not re.fullmatch(value, headers.get(name, ""))
        ]
        told = headers.get("content-type") == "application/problem+json"
        refused = answer.status >= 400 and clause.by == "service"
        assert refused == told, "a failure that the service tells is a problem document"
        assert not answer.body or not told or json.loads(answer.body)["status"] == answer.status
