"""A real receiver of spans: OTLP over HTTP, and Zipkin's JSON."""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """Keeps what it receives; a context manager."""

    def __init__(self) -> None:
        """Listen on a free port."""
        self.spans: list[Span] = []
        self.resources: list[dict[str, str]] = []
        self.zipkin: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.headers.append({k.lower(): v for k, v in self.headers.items()})
                if "json" in self.headers["content-type"]:
                    collector.zipkin += json.loads(body)
                else:
                    collector.take(body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def take(self, body: bytes) -> None:
        """Keep the spans of one export."""
        request = ExportTraceServiceRequest.FromString(body)
        for group in request.resource_spans:
            attributes = group.resource.attributes
            self.resources.append({a.key: a.value.string_value for a in attributes})
            for scope in group.scope_spans:
                self.spans += scope.spans

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def named(self, name: str) -> list[Span]:
        """Return the spans of a name."""
        return [span for span in self.spans if span.name == name]

    def __enter__(self) -> Self:
        """Start."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


def attributes(span: Span) -> dict[str, str | int]:
    """Return a span's attributes as a dictionary."""
    return {
        a.key: a.value.int_value if a.value.HasField("int_value") else a.value.string_value
        for a in span.attributes
    }
