"""Answers that come before all of a body: their callers see them, and keep their connection."""

import socket

import pytest

from tests.raw import JSON
from tests.server import Server

LIMIT = 15.0
"""Seconds for an answer."""
SENT = 3 * 1024 * 1024
"""Bytes of a body: more than any may have, and than sockets take in between."""
PIECE = b"%x\r\n%b\r\n" % (64 * 1024, b" " * 64 * 1024)

REFUSED = [
    ("POST", "/orders", JSON[1], 413),
    ("POST", "/orders/batch", JSON[1], 413),
    ("POST", "/orders", "text/plain", 415),
    ("PUT", "/orders", JSON[1], 405),
    ("POST", "/nothing", JSON[1], 404),
    ("GET", "/livez", JSON[1], 200),
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
    with socket.create_connection(("127.0.0.1", server.port), LIMIT) as connection:
        if chunked:
            connection.sendall(head(method, path, content_type, "Transfer-Encoding: chunked"))
            for _ in range(SENT // (64 * 1024)):
                connection.sendall(PIECE)
            connection.sendall(b"0\r\n\r\n")
        else:
            connection.sendall(head(method, path, content_type, f"Content-Length: {SENT}"))
            connection.sendall(b" " * SENT)
        refused, headers = answer(connection)
        connection.sendall(head("GET", "/livez", JSON[1]))
        following, _ = answer(connection)

    assert (status, None, 200) == (refused, headers.get("connection"), following)


def test_the_answer_does_not_wait_for_the_body(server: Server) -> None:
    """It comes at once; whoever then does not go on is not waited for."""
    with socket.create_connection(("127.0.0.1", server.port), LIMIT) as connection:
        connection.sendall(head("POST", "/orders", JSON[1], f"Content-Length: {SENT}") + b"  ")
        status, _ = answer(connection)
        end = connection.recv(1)

    assert (413, b"") == (status, end)
