"""Stands before a service, and lets nobody in without a credential; over TLS if it is asked to.

What callers send is noted, so that a test can tell that no more is sent than was given.
"""

import http.client
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, Final

from tests.certificates import Issued

_NOT_PASSED: Final = frozenset({"host", "connection", "content-length"})
_HEADERS: Final = ("x-api-key", "authorization")


class Guard:
    """A door on this machine."""

    def __init__(self, port: int, accepts: Mapping[str, str], shows: Issued | None) -> None:
        """Lead to a port, whoever shows these headers with these values, and shows no other."""
        self.accepts = accepts
        self.seen: list[dict[str, str]] = []
        """The credentials of each request."""
        self.moved: str | None = None
        """Where every request is sent on, if it is."""
        guard = self

        class Handler(_Handler):
            to, door = port, guard

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if shows is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*shows)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if shows else ''}://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Close it."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def guard(
    port: int, *, accepts: Mapping[str, str] = MappingProxyType({}), shows: Issued | None = None
) -> Iterator[Guard]:
    """Have a guard before a port, which accepts a credential, or callers without any."""
    made = Guard(port, accepts, shows)
    try:
        yield made
    finally:
        made.close()


class _Handler(BaseHTTPRequestHandler):
    """Passes on what is let in."""

    to: int
    door: Guard
    protocol_version = "HTTP/1.1"

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        given = {it: self.headers[it] for it in _HEADERS if it in self.headers}
        self.door.seen.append(given)
        if self.door.moved is not None:
            self._answer(307, [("location", self.door.moved)], b"")
        elif given != self.door.accepts:
            self._answer(401, [("www-authenticate", "Bearer")], b"who are you?")
        else:
            self._pass_on(body)

    def _pass_on(self, body: bytes) -> None:
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _NOT_PASSED}
        service = http.client.HTTPConnection("127.0.0.1", self.to, timeout=10)
        service.request(self.command, self.path, body or None, headers)
        answer = service.getresponse()
        told = [(k, v) for k, v in answer.getheaders() if k.lower() not in _NOT_PASSED]
        self._answer(answer.status, told, answer.read())
        service.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _take  # noqa: N815  names of http.server's

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
