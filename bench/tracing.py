"""Measures what tracing costs: this service with a tenth of its requests sampled, and without.

The spans go over HTTP to a receiver in this process that takes their bytes and reads nothing.
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


@contextmanager
def receiving() -> Iterator[str]:
    """Take what an OTLP exporter sends until the context is left; the value is the URL for it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/traces"
        finally:
            server.shutdown()


def traced(server: Server, url: str) -> Server:
    """Return the same service with a share of its requests sampled, and sent to `url`."""
    return structs.replace(
        server,
        name=TRACED,
        title=f"{server.title}, {RATIO:.0%} of requests traced",
        environment={
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": url,
            "OTEL_TRACES_SAMPLER": "traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": str(RATIO),
        },
    )
