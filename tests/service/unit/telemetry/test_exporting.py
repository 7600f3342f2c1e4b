"""Spans on their way to a real collector, with names inside the SDK or without."""

import threading
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from orders.config import TracingConfig
from orders.telemetry import exporting, written
from orders.telemetry.context import continued
from orders.telemetry.otlp import Encoder
from orders.telemetry.tracing import Tracing
from tests.helpers.collector import Collector

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HOUR = 3_600_000
QUEUE = 8


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Listen."""
    with Collector() as listening:
        yield listening


def config(collector: Collector) -> TracingConfig:
    """Export to a collector what fills a batch, and the rest at the end."""
    return TracingConfig(
        exporter="otlp",
        protocol="http/protobuf",
        endpoint=f"{collector.url}/v1/traces",
        headers="authorization=Bearer%20x",
        sampler="always_on",
        ratio=1.0,
        service_name="shop",
        resource_attributes={"team": "tea"},
        schedule_delay=HOUR,
        max_queue_size=QUEUE,
        max_batch_size=QUEUE,
    )


def made(settings: TracingConfig) -> Tracing:
    """Export what is sampled, which is all."""
    return Tracing(exporting.spans(settings, "7"), lambda _, __: True, namespace="shop")


def request(tracing: Tracing) -> None:
    """Make the spans of a request, and of its batch: three."""
    context = continued(PARENT, "a=b")
    context.sampled, context.connection = True, "192.0.2.1:5000"
    tracing.batch("insert", 2, perf_counter(), 0.001, "timeout", [context], ("db.test", 6432))
    tracing.request(
        context, "POST", "/orders", "/orders", 503, perf_counter(), 0.002, "deadline-exceeded",
        proxied=None, scheme="http",
    )  # fmt: skip


def sent(settings: TracingConfig) -> None:
    """Send the spans of one request."""
    tracing = made(settings)
    request(tracing)
    tracing.shutdown()


def comparable(spans: list[Span]) -> list[Any]:
    """Return spans without what differs from run to run: times, and ids of our own."""
    for span in spans:
        for name in ("span_id", "start_time_unix_nano", "end_time_unix_nano"):
            span.ClearField(name)
        if span.trace_id.hex() not in PARENT:
            span.ClearField("trace_id")
        if span.parent_span_id.hex() not in PARENT:
            span.parent_span_id = b"own"
        for link in span.links:
            link.span_id = b"own"
            link.trace_id = link.trace_id if link.trace_id.hex() in PARENT else b"own"
    return [str(span) for span in spans]


def test_this_sdk_has_the_names() -> None:
    """With the SDK that is installed spans are written here, not by its encoder."""
    assert written.is_possible()


@pytest.mark.parametrize(
    "gone",
    [
        (BatchSpanProcessor.on_end, ("_gone", "emit")),
        (OTLPSpanExporter.export, ("_client", "gone")),
        (len, ("_client", "export")),
    ],
    ids=["processor", "exporter", "no function of Python's"],
)
def test_without_the_names_the_library_writes_the_same(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, gone: Any
) -> None:
    """Where the SDK has another inside, its own encoder writes what is written here."""
    sent(config(collector))
    here, resource = comparable(collector.spans), collector.resources[0]
    collector.spans.clear()
    monkeypatch.setattr(written, "_UNPUBLISHED", (gone,))
    monkeypatch.setattr(Encoder, "__call__", lambda *_: pytest.fail("written here"))
    sent(config(collector))

    assert 3 == len(here)
    assert here == comparable(collector.spans)
    assert resource == {
        **collector.resources[1],
        "service.instance.id": resource["service.instance.id"],
    }
    assert ["Bearer x"] * 2 == [headers["authorization"] for headers in collector.headers]


def test_the_library_compresses_as_configured(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the exporter reads itself of the environment holds for what is written here."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    sent(config(collector))

    assert "gzip" == collector.headers[0]["content-encoding"]
    assert 1 == len(collector.named("POST /orders"))


def test_a_collector_that_stands_still_costs_spans_alone(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What finds the queue full takes the place of the oldest; none waits, and none raises."""
    ended = threading.Event()
    take = collector.take
    monkeypatch.setattr(collector, "take", lambda request: ended.wait() and take(request))
    tracing = made(config(collector))
    for _ in range(20 * QUEUE):
        request(tracing)
    ended.set()
    tracing.shutdown()

    assert QUEUE <= len(collector.spans) <= 2 * QUEUE  # a batch under way, and a full queue
    assert "POST /orders" == collector.spans[-1].name
