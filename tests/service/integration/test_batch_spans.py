"""What becomes of a batch, as metrics and the traces of its requests have it."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest

from tests.helpers.collector import Collector, attributes
from tests.helpers.postgres import Databases, PostgresServer
from tests.helpers.server import Server, eventually
from tests.helpers.stopped_processes import stopped
from tests.helpers.table_locks import table_locked

Start = Callable[..., Server]
ORDER = {"item": "tea", "quantity": 1}
OPERATION = "db_client_operation_duration_seconds_count"


def errors(metrics: str) -> set[str]:
    """Return the errors that batches ended with, as the metrics have them."""
    lines = [line for line in metrics.splitlines() if line.startswith(OPERATION)]
    return {line.partition('error_type="')[2].partition('"')[0] for line in lines} - {""}


async def scrape(server: Server) -> str:
    """Return the metrics."""
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{server.metrics_url}/metrics")).text


async def told(server: Server, error: str) -> str:
    """Wait until the metrics have a batch that ended with this error; return them."""

    async def there() -> bool:
        return error in errors(await scrape(server))

    await eventually(there)
    return await scrape(server)


@pytest.mark.parametrize(
    ("route", "body", "batch_name"),
    [
        ("POST /orders", ORDER, "INSERT orders"),
        ("POST /orders/batch", [ORDER] * 3, "INSERT orders"),
        ("GET /orders/{id}", None, "SELECT orders"),
        ("GET /orders", None, "SELECT orders"),
    ],
)
def test_a_requests_trace_has_the_database(  # noqa: PLR0913  a case has three parts
    traced: Server,
    database_url: str,
    collector: Collector,
    route: str,
    body: object,
    batch_name: str,
) -> None:
    """Under a request's span there is one of the database, within it, that links to the batch."""
    method, path = route.replace("{id}", "00000000-0000-7000-8000-000000000000").split()
    httpx.request(method, traced.url + path, json=body)
    traced.stop()
    (request,) = collector.named(route)
    (within,) = collector.within(request)
    (batch,) = collector.batches()

    assert batch_name == within.name == batch.name
    assert request.trace_id == within.trace_id != batch.trace_id
    assert within.SPAN_KIND_CLIENT == within.kind == batch.kind
    database = urlsplit(database_url)
    for span in (within, batch):
        assert "postgresql" == attributes(span)["db.system.name"]
        assert database.hostname == attributes(span)["server.address"]
        assert database.port == attributes(span).get("server.port", 5432)
    assert [(batch.trace_id, batch.span_id)] == [(k.trace_id, k.span_id) for k in within.links]
    assert [(request.trace_id, request.span_id)] == [(k.trace_id, k.span_id) for k in batch.links]
    assert request.start_time_unix_nano <= within.start_time_unix_nano
    assert within.start_time_unix_nano < within.end_time_unix_nano
    assert within.end_time_unix_nano <= request.end_time_unix_nano


def test_a_refused_batch_is_an_error(
    database_url: str, postgres: Databases, serve: Start, collector: Collector
) -> None:
    """Its spans have the name that the metrics have for it, its request's has the problem."""
    postgres.execute("ALTER TABLE orders ADD CHECK (item <> 'tea')", database_url)
    server = serve(DATABASE_URL=database_url, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    answer = httpx.post(f"{server.url}/orders", json=ORDER)
    metrics = httpx.get(f"{server.metrics_url}/metrics").text
    server.stop()
    (request,) = collector.named("POST /orders")

    assert 500 == answer.status_code
    assert {"statement-refused"} == errors(metrics)
    for span in collector.named("INSERT orders"):
        assert "statement-refused" == attributes(span)["error.type"]
        assert span.status.STATUS_CODE_ERROR == span.status.code
    assert "internal" == attributes(request)["error.type"] == attributes(request)["orders.problem"]
    assert request.status.STATUS_CODE_ERROR == request.status.code


async def test_a_batch_that_is_never_answered_is_an_error(
    private_postgres: PostgresServer, serve: Start, collector: Collector
) -> None:
    """When PostgreSQL stands still a batch ends with the deadline of its calls, as a timeout."""
    url = private_postgres.migrated_database()
    server = serve(
        DATABASE_URL=url, REQUEST_TIMEOUT="2", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url
    )
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        with private_postgres.frozen(url):
            answer = await client.post("/orders", json=ORDER)
            metrics = await told(server, "timeout")
    await asyncio.to_thread(server.stop)
    (request,) = collector.named("POST /orders")

    assert 503 == answer.status_code
    assert "timeout" in errors(metrics)
    assert "deadline-exceeded" == attributes(request)["error.type"]
    hung = [span for span in collector.batches() if attributes(span).get("error.type")]
    assert {"timeout"} <= {str(attributes(span)["error.type"]) for span in hung}
    assert {span.status.STATUS_CODE_ERROR for span in hung} == {span.status.code for span in hung}
    within = collector.within(request)
    assert "timeout" in {attributes(span).get("error.type") for span in within}


async def test_a_batch_whose_copy_answered_is_an_error(
    private_postgres: PostgresServer, serve: Start, collector: Collector
) -> None:
    """A batch that hung is told although its request was answered; both are in its trace."""
    url = private_postgres.migrated_database()
    server = serve(DATABASE_URL=url, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        await server.all_connected()
        await client.post("/orders", json=ORDER)
        insert = "INSERT INTO orders"
        with stopped(await asyncio.to_thread(private_postgres.last_backend, url, insert)):
            late = await client.post("/orders", json=ORDER)
            await told(server, "timeout")
    await asyncio.to_thread(server.stop)
    _, request = collector.named("POST /orders")

    assert 201 == late.status_code
    assert "error.type" not in attributes(request)
    ends = sorted(str(attributes(s).get("error.type")) for s in collector.within(request))
    assert ["None", "timeout"] == ends


async def test_a_batch_that_is_cancelled_is_an_error(
    database_url: str, serve: Start, collector: Collector
) -> None:
    """When the process may wait no longer its batches are cancelled, and their callers told."""
    server = serve(
        status=1,
        DATABASE_URL=database_url,
        REQUEST_TIMEOUT="60",
        SHUTDOWN_GRACE_PERIOD="1",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
    )
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:

        async def sent() -> bool:
            return 'db_client_connection_count{state="used"} 1' in await scrape(server)

        async with table_locked(database_url):
            call = asyncio.ensure_future(client.post("/orders", json=ORDER))
            await eventually(sent)
            status = await asyncio.to_thread(server.stop)
            answer = await call
    (request,) = collector.named("POST /orders")

    assert (1, 503) == (status, answer.status_code)
    assert "deadline-exceeded" == attributes(request)["error.type"]
    assert ["cancelled"] == [attributes(span)["error.type"] for span in collector.batches()]
    assert ["cancelled"] == [attributes(s)["error.type"] for s in collector.within(request)]
