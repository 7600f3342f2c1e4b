"""Answers that come before all of a body: their callers see them, and keep their connection."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from orders.auth import api_keys
from tests.helpers.raw_http import JSON
from tests.helpers.server import Server

LIMIT = 15.0
"""Seconds for an answer."""
SENT = 3 * 1024 * 1024
"""Bytes of a body: more than any may have, and than sockets take in between."""
READER = api_keys.new_key()
PIECE = b"%x\r\n%b\r\n" % (64 * 1024, b" " * 64 * 1024)

REFUSED = [
    ("POST", "/orders", JSON[1], 413),
    ("POST", "/orders/batch", JSON[1], 413),
    ("POST", "/orders", "text/plain", 415),
    ("PUT", "/orders", JSON[1], 405),
    ("POST", "/nothing", JSON[1], 404),
    ("GET", "/livez", JSON[1], 200),
]


UNWELCOME = [
    ("/orders", {}, 401),
    ("/orders", {"X-Api-Key": "made-up"}, 401),
    ("/orders", {"Authorization": "Bearer e.y.J"}, 401),
    ("/orders", {"X-Api-Key": READER}, 403),
    ("/orders/batch", {"X-Api-Key": READER}, 403),
    ("/nothing", {}, 401),
]


def head(method: str, path: str, content_type: str, *fields: str) -> bytes:
    """Return the head of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Type: {content_type}", *fields]
    return "\r\n".join([*lines, "\r\n"]).encode()


def answer(connection: socket.socket) -> tuple[int, dict[str, str]]:
    """Read one answer; return its status and headers."""
    with connection.makefile("rb") as reader:
        status = int(reader.readline().split()[1])
        headers = {}
        while (line := reader.readline()) != b"\r\n":
            name, _, value = line.decode().partition(":")
            headers[name] = value.strip()
        reader.read(int(headers["content-length"]))
    return status, headers


def asked(
    server: Server, what: tuple[str, str, str], *fields: str, chunked: bool
) -> tuple[int, str | None, int]:
    """Send all of a body, then read the answer, and ask for something else.

    Returns:
        Status and Connection of the first answer, and the status of the second one.

    """
    with socket.create_connection(("127.0.0.1", server.port), LIMIT) as connection:
        if chunked:
            connection.sendall(head(*what, "Transfer-Encoding: chunked", *fields))
            for _ in range(SENT // (64 * 1024)):
                connection.sendall(PIECE)
            connection.sendall(b"0\r\n\r\n")
        else:
            connection.sendall(head(*what, f"Content-Length: {SENT}", *fields))
            connection.sendall(b" " * SENT)
        refused, headers = answer(connection)
        connection.sendall(head("GET", "/livez", JSON[1]))
        following, _ = answer(connection)
    return refused, headers.get("connection"), following


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
@pytest.mark.parametrize(("method", "path", "content_type", "status"), REFUSED)
def test_whoever_sends_all_of_a_refused_body_sees_the_answer(  # noqa: PLR0913  a case has five parts
    server: Server,
    method: str,
    path: str,
    content_type: str,
    status: int,
    chunked: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    """A client that sends first and reads then is not reset, and its next request is answered."""
    assert (status, None, 200) == asked(server, (method, path, content_type), chunked=chunked)


@pytest.fixture
def guarded(serve: Callable[..., Server], tmp_path: Path, database_url: str) -> Server:
    """Start a service that asks who calls."""
    keys = tmp_path / "keys"
    keys.write_text(api_keys.line("reader", READER, ["orders:read"]))
    return serve(DATABASE_URL=database_url, AUTH_API_KEYS_FILE=str(keys))


def test_whoever_may_not_call_sees_the_answer_too(guarded: Server) -> None:
    """Who is refused before the body was looked at is not reset either, on both paths."""
    cases = [
        (path, tuple(f"{name}: {value}" for name, value in shown.items()), chunked, status)
        for path, shown, status in UNWELCOME
        for chunked in (False, True)
    ]
    seen = [
        asked(guarded, ("POST", path, JSON[1]), *shown, chunked=chunked)
        for path, shown, chunked, _ in cases
    ]

    assert [(status, None, 200) for *_, status in cases] == seen


def test_whoever_may_not_call_and_waits_for_a_100_is_sent_away(guarded: Server) -> None:
    """The body is not asked for, so the answer is the last one on its connection."""
    with socket.create_connection(("127.0.0.1", guarded.port), LIMIT) as connection:
        expecting = ("Expect: 100-continue", "Content-Length: 100")
        connection.sendall(head("POST", "/orders", JSON[1], *expecting))
        status, headers = answer(connection)
        end = connection.recv(1)

    assert (401, "close", b"") == (status, headers.get("connection"), end)


def test_the_answer_does_not_wait_for_the_body(server: Server) -> None:
    """It comes at once; whoever then does not go on is not waited for."""
    with socket.create_connection(("127.0.0.1", server.port), LIMIT) as connection:
        connection.sendall(head("POST", "/orders", JSON[1], f"Content-Length: {SENT}") + b"  ")
        status, _ = answer(connection)
        end = connection.recv(1)

    assert (413, b"") == (status, end)
