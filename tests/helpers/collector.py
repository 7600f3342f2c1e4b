"""Real receivers of spans: OTLP over HTTP and over gRPC, and Zipkin's JSON."""

import gzip
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Received:
    """What a collector has."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.resources: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []

    def take(self, request: ExportTraceServiceRequest) -> None:
        """Keep the spans of one export."""
        for group in request.resource_spans:
            attributes = group.resource.attributes
            self.resources.append({a.key: a.value.string_value for a in attributes})
            for scope in group.scope_spans:
                self.spans += scope.spans

    def named(self, name: str) -> list[Span]:
        """Return the spans of a name."""
        return [span for span in self.spans if span.name == name]

    def within(self, request: Span) -> list[Span]:
        """Return the children of a request's span."""
        return [span for span in self.spans if span.parent_span_id == request.span_id]

    def batches(self) -> list[Span]:
        """Return the spans of batches: traces of their own, which link to requests."""
        return [span for span in self.spans if span.links and not span.parent_span_id]


class Collector(Received):
    """Receives over HTTP; a context manager."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[str] = []
        self.zipkin: list[dict[str, Any]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.paths.append(self.path)
                collector.headers.append({k.lower(): v for k, v in self.headers.items()})
                if "json" in self.headers["content-type"]:
                    collector.zipkin += json.loads(body)
                else:
                    collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Start."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


class GrpcCollector(Received):
    """Receives over gRPC; a context manager."""

    def __init__(self) -> None:
        super().__init__()
        collector = self

        class Service(TraceServiceServicer):
            def Export(  # noqa: N802  as the service has it
                self, request: ExportTraceServiceRequest, context: Any
            ) -> ExportTraceServiceResponse:
                collector.headers.append(dict(context.invocation_metadata()))
                collector.take(request)
                return ExportTraceServiceResponse()

        self._server = grpc.server(ThreadPoolExecutor(2))
        add_TraceServiceServicer_to_server(Service(), self._server)
        self.url = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> Self:
        """Start."""
        self._server.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop."""
        self._server.stop(None).wait()


def attributes(span: Span) -> dict[str, str | int]:
    """Return a span's attributes as a dictionary."""
    return {
        a.key: a.value.int_value if a.value.HasField("int_value") else a.value.string_value
        for a in span.attributes
    }
