"""The requests that the load generator sends, seen by a server."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

import pytest

from bench import load, paths
from bench.load import Generator, Question
from bench.measure import replays

GENERATORS = [
    pytest.param(
        Generator("wrk", ("wrk",)),
        marks=pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed"),
        id="wrk",
    ),
    pytest.param(
        Generator("load", (str(paths.BINARIES / "load"),)),
        marks=pytest.mark.skipif(
            not (paths.BINARIES / "load").exists(), reason="the Go command is not built"
        ),
        id="go",
    ),
]
Seen = list[tuple[str, str, dict[str, str], bytes]]


@contextmanager
def listening() -> Iterator[tuple[int, Seen]]:
    """Answer 201 to everything; the value is the port, and what was asked so far."""
    seen: Seen = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen.append((self.command, self.path, headers, body))
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port, seen
        finally:
            server.shutdown()


def asked(generator: Generator, question: Question, ids: Path) -> Seen:
    """Load a server for a second, twice at the same time; return all that it was asked."""
    with listening() as (port, seen):
        loading = [generator.start(question, port, 2, 1, ids) for _ in range(2)]
        outcomes = [load.outcome(each) for each in loading]
        assert [0, 0] == [each.errors for each in outcomes]
        assert sum(each.requests for each in outcomes) <= len(seen)
        return list(seen)


@pytest.mark.parametrize("generator", GENERATORS)
def test_each_keyed_request_has_a_key_of_its_own(generator: Generator, tmp_path: Path) -> None:
    """A UUID that no other request has, of loads at the same time neither."""
    ids = tmp_path / "ids"
    ids.touch()

    seen = asked(generator, "keyed", ids)

    assert {("POST", "/orders")} == {(method, path) for method, path, _, _ in seen}
    keys = [headers["idempotency-key"] for _, _, headers, _ in seen]
    assert len(keys) == len(set(keys)) > 0
    assert {4} == {UUID(key).version for key in keys}
    assert {str(UUID(key)) for key in keys} == set(keys)
    assert all(body.startswith(b'{"item":') and body.endswith(b"}") for *_, body in seen)


@pytest.mark.parametrize("generator", GENERATORS)
def test_what_is_created_without_a_key_has_none(generator: Generator, tmp_path: Path) -> None:
    """A key costs, so the plain question must not have it."""
    ids = tmp_path / "ids"
    ids.touch()

    seen = asked(generator, "create", ids)

    assert seen
    assert not any("idempotency-key" in headers for _, _, headers, _ in seen)


@pytest.mark.parametrize(("answered", "stored", "expected"), [(9, 9, 0), (9, 11, 0), (9, 2, 7)])
def test_an_answer_without_an_order_is_a_replay(answered: int, stored: int, expected: int) -> None:
    """More orders than answers are those that the generator did not wait for."""
    assert expected == replays(answered, stored)
