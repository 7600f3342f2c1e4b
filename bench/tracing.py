"""What tracing costs: this service with a tenth of its requests sampled, beside itself without.

The spans go over HTTP to a receiver in this process that counts their bytes and reads nothing.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from msgspec import structs

from bench.servers import Server

RATIO: Final = 0.1
TRACED: Final = "orders-traced"


class Receiver:
    """Takes what an OTLP exporter sends, and counts its bytes."""

    def __init__(self) -> None:
        """Listen on a free port; `serve` answers."""
        self.taken = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.taken += len(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where spans go."""
        return f"http://127.0.0.1:{self._server.server_port}/v1/traces"

    @contextmanager
    def serve(self) -> Iterator[None]:
        """Answer until the context is left."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()


def traced(server: Server, receiver: Receiver) -> Server:
    """Return the same service with a share of its requests sampled and exported."""
    return structs.replace(
        server,
        name=TRACED,
        title=f"{server.title}, {RATIO:.0%} of requests traced",
        environment={
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": receiver.url,
            "OTEL_TRACES_SAMPLER": "traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": str(RATIO),
        },
    )
