"""Traces of the real server, at a real receiver."""

import asyncio
import json
from collections.abc import Callable

import httpx

from tests.helpers.collector import Collector, attributes
from tests.helpers.server import Server, eventually
from tests.helpers.table_locks import table_locked

Start = Callable[..., Server]
ORDER = {"item": "tea", "quantity": 1}
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT_ID = "b7ad6b7169203331"


def test_a_sampled_request_has_a_span_in_its_callers_trace(
    database_url: str, serve: Start, collector: Collector
) -> None:
    """The span of a request has the caller's trace and parent, and says what was answered."""
    server = serve(
        DATABASE_URL=database_url,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20x",
        OTEL_SERVICE_NAME="shop",
        OTEL_RESOURCE_ATTRIBUTES="team=tea",
    )
    headers = {"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01", "tracestate": "a=b"}
    answer = httpx.post(f"{server.url}/orders", json=ORDER, headers=headers)
    server.stop()
    (span,) = collector.named("POST /orders")
    (batch,) = collector.batches()

    assert TRACE_ID == span.trace_id.hex() == answer.headers["x-correlation-id"]
    assert PARENT_ID == span.parent_span_id.hex()
    assert "a=b" == span.trace_state
    assert span.SPAN_KIND_SERVER == span.kind
    expected = {"http.request.method": "POST", "http.route": "/orders", "url.path": "/orders"}
    assert expected.items() <= attributes(span).items()
    assert 201 == attributes(span)["http.response.status_code"]
    assert batch.SPAN_KIND_CLIENT == batch.kind
    assert "postgresql" == attributes(batch)["db.system.name"]
    assert [(span.trace_id, span.span_id)] == [(k.trace_id, k.span_id) for k in batch.links]
    assert {"service.name": "shop", "team": "tea"}.items() <= collector.resources[0].items()
    assert "Bearer x" == collector.headers[0]["authorization"]


async def test_a_batch_links_to_every_request_in_it(
    database_url: str, traced: Server, collector: Collector
) -> None:
    """Each sampled request is linked to by exactly one batch, and some batch has many."""
    async with httpx.AsyncClient(base_url=traced.url) as client:

        async def all_wait() -> bool:
            metrics = (await client.get(f"{traced.metrics_url}/metrics")).text
            return "http_server_active_requests 60" in metrics

        async with table_locked(database_url):
            calls = [asyncio.ensure_future(client.post("/orders", json=ORDER)) for _ in range(60)]
            await eventually(all_wait)
        await asyncio.gather(*calls)
    await asyncio.to_thread(traced.stop)
    requests = {(span.trace_id, span.span_id) for span in collector.named("POST /orders")}
    batches = collector.batches()
    linked = [(link.trace_id, link.span_id) for batch in batches for link in batch.links]

    assert 60 == len(requests) == len(linked)
    assert requests == set(linked)
    assert len(batches) < 60
    sizes = [attributes(batch).get("db.operation.batch.size", 1) for batch in batches]
    assert [len(batch.links) for batch in batches] == sizes


def test_an_unsampled_request_makes_no_span(
    database_url: str, serve: Start, collector: Collector
) -> None:
    """Neither a caller's decision against it nor a ratio of 0 leaves a span; the ids are there."""
    server = serve(DATABASE_URL=database_url, TRACER_URL=collector.url, TRACER_RATIO="0")
    unsampled = {"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-00"}
    answer = httpx.post(f"{server.url}/orders", json=ORDER, headers=unsampled)
    httpx.post(f"{server.url}/orders", json=ORDER)
    server.stop()

    assert TRACE_ID == answer.headers["x-correlation-id"]
    assert [] == collector.spans


def test_a_failed_request_says_why(traced: Server, collector: Collector) -> None:
    """A refused request is no error of the service's: its span has the problem, and no error."""
    httpx.post(f"{traced.url}/orders", json={"item": "", "quantity": 1})
    traced.stop()
    (span,) = collector.named("POST /orders")

    assert "invalid-request" == attributes(span)["orders.problem"]
    assert "error.type" not in attributes(span)
    assert span.status.STATUS_CODE_UNSET == span.status.code


def test_a_span_has_no_name_of_the_callers(traced: Server, collector: Collector) -> None:
    """An unknown method is `_OTHER` in a span named HTTP; what no route matched has no route."""
    for method, path in (
        ("BREW", "/orders"),
        ("BREW", "/tea"),
        ("GET", "/tea"),
        ("PUT", "/orders"),
    ):
        httpx.request(method, traced.url + path)
    traced.stop()

    names = ("http.request.method", "http.request.method_original", "http.route")
    found = [(span.name, *map(attributes(span).get, names)) for span in collector.spans]
    assert [
        ("HTTP /orders", "_OTHER", "BREW", "/orders"),
        ("HTTP", "_OTHER", "BREW", None),
        ("GET", "GET", None, None),
        ("PUT /orders", "PUT", None, "/orders"),
    ] == found


def test_zipkin_gets_the_same_spans(database_url: str, serve: Start, collector: Collector) -> None:
    """With GoFr's variables for Zipkin, spans arrive as Zipkin's JSON."""
    server = serve(
        DATABASE_URL=database_url,
        TRACE_EXPORTER="zipkin",
        TRACER_URL=f"{collector.url}/api/v2/spans",
    )
    answer = httpx.post(f"{server.url}/orders", json=ORDER)
    server.stop()
    spans = {(span["name"], "parentId" in span): span for span in collector.zipkin}

    expected = {("POST /orders", False), ("INSERT orders", False), ("INSERT orders", True)}
    assert expected == set(spans)
    assert answer.headers["x-correlation-id"] == spans["POST /orders", False]["traceId"]


async def test_a_collector_that_is_away_hurts_nobody(database_url: str, serve: Start) -> None:
    """Orders are taken, the log says so in one line, and the end is not held up."""
    server = serve(
        DATABASE_URL=database_url,
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        OTEL_BSP_SCHEDULE_DELAY="50",
    )
    async with httpx.AsyncClient(base_url=server.url) as client:
        answers = [await client.post("/orders", json=ORDER) for _ in range(20)]

    def complaints() -> list[str]:
        lines = [json.loads(line) for line in server.output().split("\n")[:-1]]
        return [line["message"] for line in lines if line["level"] in {"WARNING", "ERROR"}]

    await eventually(lambda: len(complaints()) > 0)
    status = await asyncio.to_thread(server.stop)

    assert {201} == {answer.status_code for answer in answers}
    assert 0 == status
    assert 1 == len(complaints()), complaints()


def test_spans_go_to_the_console(database_url: str, serve: Start) -> None:
    """The console exporter writes spans to stderr, beside the log."""
    server = serve(DATABASE_URL=database_url, OTEL_TRACES_EXPORTER="console")
    httpx.post(f"{server.url}/orders", json=ORDER)
    server.stop()

    assert '"name": "INSERT orders"' in server.log.read_text()
