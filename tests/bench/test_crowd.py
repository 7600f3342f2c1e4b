"""Idle connections, to real servers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.crowd import Crowd
from bench.process import ServerError


@contextmanager
def serving(status: int, *, answers: int) -> Iterator[int]:
    """Serve on a port; each connection is closed after so many answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self.left = answers

        def do_GET(self) -> None:
            self.left -= 1
            self.close_connection = self.left <= 0
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_connections_that_are_kept_are_served_again() -> None:
    """None of them is lost."""
    with serving(200, answers=2) as port, Crowd(port, 20) as crowd:
        assert 0 == crowd.lost()


def test_connections_that_the_server_closed_are_counted() -> None:
    """Each that does not answer any more is lost."""
    with serving(200, answers=1) as port, Crowd(port, 5) as crowd:
        assert 5 == crowd.lost()


def test_a_server_that_takes_no_crowd_is_told() -> None:
    """The message has which connection of how many, and the port."""
    with (
        serving(503, answers=2) as port,
        pytest.raises(ServerError, match=f"idle connection 1 of 3 to port {port}"),
        Crowd(port, 3),
    ):
        pass
