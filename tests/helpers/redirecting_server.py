"""Sends every caller on to another URL, as proxies and those who want credentials do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Onward:
    """A server on this machine; `asked` counts its requests."""

    def __init__(self, to: str) -> None:
        self.asked = 0
        onward = self

        class Handler(BaseHTTPRequestHandler):
            def _send_on(self) -> None:
                onward.asked += 1
                self.rfile.read(int(self.headers.get("content-length") or 0))
                self.send_response(307)
                self.send_header("location", to)
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_POST = _send_on  # noqa: N815  names of http.server's

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def onward(to: str) -> Iterator[Onward]:
    """Have a server that sends callers to a URL."""
    made = Onward(to)
    try:
        yield made
    finally:
        made.close()
