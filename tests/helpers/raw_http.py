"""Requests as bytes on a connection of their own: also those that no HTTP client would send."""

import io
import socket
import struct
from collections.abc import Iterable, Sequence
from http.client import HTTPResponse
from typing import Literal, NamedTuple, cast

JSON = ("Content-Type", "application/json")

_LIMIT = 15.0
"""Seconds for an answer."""


class Request(NamedTuple):
    """A request; its text is Latin-1, and nothing in it is made right."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: tuple[bytes, ...] = ()
    framing: Literal["length", "chunked", "none"] = "length"
    """Whether the body has a Content-Length, or is chunked piece by piece, or is not announced."""


class Answer(NamedTuple):
    """Status, headers in lower case and sorted, body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def exchange(port: int, request: Request) -> Answer:
    """Send a request and return the answer, which may come before all of the request is sent."""
    with socket.create_connection(("127.0.0.1", port), _LIMIT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in _pieces(request):
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # answered already
        return _answer(connection, request.method)


def pipelined(port: int, requests: Sequence[Request]) -> list[Answer]:
    """Send requests in one piece on one connection; return the answers, in their order."""
    *others, last = requests
    sent = [piece for request in others for piece in _pieces(request, last=False)]
    sent += _pieces(last)
    with socket.create_connection(("127.0.0.1", port), _LIMIT) as connection:
        connection.sendall(b"".join(sent))
        with connection.makefile("rb") as reader:
            received = _Received(reader.read())
    return [_answer(cast("socket.socket", received), request.method) for request in requests]


def leave(port: int, sent: bytes, *, rudely: bool) -> None:
    """Send something and go, with a goodbye or with a reset."""
    with socket.create_connection(("127.0.0.1", port), _LIMIT) as connection:
        if rudely:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(sent)


class _Received(io.BytesIO):
    """What came on a connection, for one reader after the other."""

    def makefile(self, _: str) -> "_Received":
        return self

    def close(self) -> None:
        """Stay open."""


def _answer(connection: socket.socket, method: str) -> Answer:
    with HTTPResponse(connection, method=method) as answer:
        answer.begin()
        headers = sorted((name.lower(), value) for name, value in answer.getheaders())
        return Answer(answer.status, tuple(headers), answer.read())


def _pieces(request: Request, *, last: bool = True) -> Iterable[bytes]:
    lines = [f"{request.method} {request.path} HTTP/1.1", "Host: x"]
    if last:
        lines.append("Connection: close")
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
    elif request.framing == "length" and request.body:
        lines.append(f"Content-Length: {sum(map(len, request.body))}")
    yield "\r\n".join([*lines, "\r\n"]).encode("latin-1")
    if request.framing == "chunked":
        yield from (b"%x\r\n%b\r\n" % (len(piece), piece) for piece in request.body)
        yield b"0\r\n\r\n"
    else:
        yield from request.body
