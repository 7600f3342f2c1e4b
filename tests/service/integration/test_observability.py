"""Metrics, logs and ids of the real server, as an operator sees them."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psqlpy
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as plain_families

from orders.store.schema import REQUIRED_VERSION
from orders.telemetry.declarations import DECLARED
from tests.helpers.server import Server, eventually

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ORDER = {"item": "tea", "quantity": 2}
NO_ORDER = "00000000-0000-7000-8000-000000000000"
PROBES = ("/livez", "/readyz", "/startupz", "/.well-known/alive", "/.well-known/health")
LABELS = (
    "http_request_method", "http_route", "http_response_status_code", "error_type", "problem",
)  # fmt: skip
DURATION = "http_server_request_duration_seconds_count"

Sample = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def server(serve: Callable[..., Server], database_url: str) -> Server:
    """Run the service on an empty database."""
    return serve(DATABASE_URL=database_url)


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of the API."""
    async with httpx.AsyncClient(base_url=server.url) as opened:
        yield opened


async def scrape(server: Server) -> Sample:
    """Return every sample by name and labels."""
    async with httpx.AsyncClient() as scraper:
        answer = await scraper.get(
            f"{server.metrics_url}/metrics", headers={"accept": "application/openmetrics-text"}
        )
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Sample, name: str, **labels: str) -> float:
    """Return the sum of the samples with this name that have these labels."""
    return sum(
        found
        for (candidate, having), found in samples.items()
        if candidate == name and labels.items() <= set(having)
    )


def logged(server: Server, logger: str = "orders.access") -> list[dict[str, Any]]:
    """Return the lines of a logger; every line is JSON."""
    lines = [json.loads(line) for line in server.output().split("\n")[:-1]]
    return [line for line in lines if line["logger"] == logger]


async def access_lines(server: Server, count: int) -> list[dict[str, Any]]:
    """Wait for this many access lines."""
    await eventually(lambda: len(logged(server)) >= count)
    found = logged(server)
    assert count == len(found)
    return found


async def test_requests_are_counted_by_route_and_status(
    server: Server, client: httpx.AsyncClient
) -> None:
    """Each request is one record, under the template of its route, never its path."""
    key = {"idempotency-key": "once"}
    created = await client.post("/orders", json=ORDER, headers=key)
    await client.post("/orders", json=ORDER, headers=key)
    await client.post("/orders/batch", json=[ORDER] * 3)
    await client.post("/orders", json={})
    await client.get(f"/orders/{created.json()['id']}")
    await client.get(f"/orders/{NO_ORDER}")
    await client.get("/orders")
    await client.get("/secret/path?with=a-query")
    await client.request("BREW", "/orders")
    samples = await scrape(server)

    counted = {
        tuple(dict(labels)[name] for name in LABELS): count
        for (name, labels), count in samples.items()
        if name == DURATION
    }
    assert {
        ("POST", "/orders", "201", "", ""): 2,
        ("POST", "/orders/batch", "201", "", ""): 1,
        ("POST", "/orders", "400", "", "invalid-request"): 1,
        ("GET", "/orders/{id}", "200", "", ""): 1,
        ("GET", "/orders/{id}", "404", "", "order-not-found"): 1,
        ("GET", "/orders", "200", "", ""): 1,
        ("GET", "unmatched", "404", "", "not-found"): 1,
        ("_OTHER", "/orders", "405", "", "method-not-allowed"): 1,
    } == counted
    assert 4 == value(samples, "orders_created_total")
    assert 1 == value(samples, "orders_replayed_total")
    assert 0 == value(samples, "orders_shed_total")
    assert 0 == value(samples, "http_server_active_requests")
    assert not any("secret" in part for _, labels in samples for pair in labels for part in pair)


async def test_requests_that_took_the_long_way_are_counted(
    server: Server, client: httpx.AsyncClient
) -> None:
    """Ordinary creates and reads are none of them; what is odd, a batch and a list are."""
    name = "orders_cold_requests_total"
    before = await scrape(server)
    created = await client.post("/orders", json=ORDER)
    await client.get(f"/orders/{created.json()['id']}")
    await client.head(f"/orders/{NO_ORDER}")
    ordinary = await scrape(server)
    await client.post("/orders", content=b"{}", headers={"content-type": "application/json"})
    await client.get(f"/orders/{NO_ORDER}?")
    await client.get(f"/orders/{NO_ORDER}?a=b")
    await client.post("/orders/batch", json=[ORDER] * 3)
    await client.get("/orders")
    await client.get("/secret/path")
    await client.request("BREW", "/orders")
    samples = await scrape(server)

    counted = {
        (dict(labels)["http_request_method"], dict(labels)["http_route"]): count
        for (found, labels), count in samples.items()
        if found == name
    }
    assert 0 == value(before, name, http_request_method="POST", http_route="/orders")
    assert 0 == value(before, name, http_request_method="GET", http_route="/orders/{id}")
    assert 0 == sum(count for (found, _), count in ordinary.items() if found == name)
    assert {
        ("POST", "/orders"): 1,
        ("GET", "/orders/{id}"): 1,
        ("POST", "/orders/batch"): 1,
        ("GET", "/orders"): 1,
        ("GET", "unmatched"): 1,
        ("_OTHER", "/orders"): 1,
    } == counted


async def test_a_proxys_scheme_is_a_label(server: Server, client: httpx.AsyncClient) -> None:
    """It is what the first proxy says, and nothing that a caller makes up."""
    for scheme in ("https", "gopher", "http"):
        await client.get(f"/orders/{NO_ORDER}", headers={"x-forwarded-proto": scheme})
    samples = await scrape(server)

    assert 1 == value(samples, DURATION, url_scheme="https")
    assert 2 == value(samples, DURATION, url_scheme="http")


async def test_a_batch_is_one_record(
    server: Server, client: httpx.AsyncClient, database_url: str
) -> None:
    """What gathers behind slow batches is in the queue's depth, and then one operation."""
    connection = await psqlpy.connect(dsn=database_url)
    async with connection.transaction() as transaction:
        await transaction.execute("LOCK TABLE orders IN EXCLUSIVE MODE")
        posts: list[asyncio.Task[httpx.Response]] = []

        async def in_flight_and_waiting(used: int, depth: int) -> bool:
            samples = await scrape(server)
            return (used, depth) == (
                value(samples, "db_client_connection_count", state="used"),
                value(samples, "orders_queue_depth", operation="insert"),
            )

        for further, used, depth in ((1, 1, 0), (1, 2, 0), (48, 2, 48)):
            posts += (
                asyncio.create_task(client.post("/orders", json=ORDER)) for _ in range(further)
            )
            await eventually(partial(in_flight_and_waiting, used, depth))
        samples = await scrape(server)
        assert 50 == value(samples, "http_server_active_requests")
    answers = await asyncio.gather(*posts)
    connection.close()
    samples = await scrape(server)
    operations = "db_client_operation_duration_seconds_count"

    assert {201} == {answer.status_code for answer in answers}
    assert 3 == value(samples, operations, db_operation_name="insert")
    assert 3 == value(samples, "orders_batch_size_count", operation="insert")
    assert 50 == value(samples, "orders_batch_size_sum", operation="insert")
    assert 50 == value(samples, "orders_created_total")
    assert 0 == value(samples, "orders_queue_depth")


async def test_the_state_of_the_process(serve: Callable[..., Server], database_url: str) -> None:
    """Connections, schema, loop, collector and process are there before any request or probe."""
    server = serve(DATABASE_URL=database_url, wait_for=None)

    async def is_connected() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return value(await scrape(server), "db_client_connection_count", state="idle") == 8
        return False

    await eventually(is_connected)
    samples = await scrape(server)
    states = ("idle", "used", "connecting")

    assert 8 == sum(value(samples, "db_client_connection_count", state=s) for s in states)
    assert 0 == value(samples, "db_client_connection_count", state="connecting")
    assert value(samples, "orders_schema_version") == REQUIRED_VERSION
    assert 1 == value(samples, "orders_build_info")
    assert value(samples, "orders_gc_collections_total", generation="2") >= 1
    assert value(samples, "process_resident_memory_bytes") > 0

    async def lag_is_measured() -> bool:
        return value(await scrape(server), "orders_event_loop_lag_seconds_count") > 0

    await eventually(lag_is_measured)


async def test_a_fresh_service_exposes_all_its_metrics(server: Server) -> None:
    """At least 20 families have samples before the first request; none that is declared lacks."""
    async with httpx.AsyncClient() as scraper:
        answer = await scraper.get(f"{server.metrics_url}/metrics")
    families = {family.name: family for family in plain_families(answer.text)}

    assert len([family for family in families.values() if family.samples]) >= 20
    assert {name.removesuffix("_total") for name in DECLARED} <= set(families)


async def test_probes_and_scrapes_leave_no_trace(
    server: Server, client: httpx.AsyncClient
) -> None:
    """Neither the log nor the metrics count what Kubernetes and Prometheus ask, on both ports."""
    for path in PROBES:
        await client.get(path)
        await client.get(f"{server.metrics_url}{path}")
    await scrape(server)
    await client.get(f"/orders/{NO_ORDER}")

    [line] = await access_lines(server, 1)
    assert f"/orders/{NO_ORDER}" == line["path"]
    assert 1 == value(await scrape(server), DURATION)


async def test_every_answer_is_found_in_the_log(server: Server, client: httpx.AsyncClient) -> None:
    """X-Correlation-ID is the trace id of the request's line, whatever the answer was."""
    answers = [
        await client.post("/orders", json=ORDER),
        await client.post("/orders", content=b"{", headers={"content-type": "application/json"}),
        await client.get("/orders/7"),
        await client.get(f"/orders/{NO_ORDER}"),
        await client.get("/nothing"),
        await client.get("/docs"),
        await client.put("/orders"),
        await client.post("/orders", json={"item": "x" * 70_000, "quantity": 1}),
    ]
    lines = await access_lines(server, len(answers))

    assert [201, 400, 400, 404, 404, 200, 405, 413] == [a.status_code for a in answers]
    assert [a.headers["x-correlation-id"] for a in answers] == [x["trace_id"] for x in lines]
    assert [a.status_code for a in answers] == [line["status"] for line in lines]
    assert len(answers) == len({line["span_id"] for line in lines})


async def test_the_callers_trace_is_continued(server: Server, client: httpx.AsyncClient) -> None:
    """A valid traceparent gives the trace id, a malformed one is ignored; hot and cold alike."""
    valid = {"traceparent": f"00-{TRACE}-{PARENT}-00"}
    malformed = {"traceparent": f"00-{TRACE.upper()}-{PARENT}-00"}
    for path in (f"/orders/{NO_ORDER}", "/orders"):
        continued = await client.get(path, headers=valid)
        ignored = await client.get(path, headers=malformed)
        assert TRACE == continued.headers["x-correlation-id"]
        assert TRACE != ignored.headers["x-correlation-id"].lower()

    lines = await access_lines(server, 4)
    assert [True, False] * 2 == [line["trace_id"] == TRACE for line in lines]
    assert PARENT not in {line["span_id"] for line in lines}


async def test_a_line_has_the_caller(server: Server, client: httpx.AsyncClient) -> None:
    """Its address and user agent; behind a proxy also the address of the connection."""
    for path in (f"/orders/{NO_ORDER}", "/orders"):
        await client.get(path, headers={"user-agent": 'shop "1"'})
        await client.get(path, headers={"x-forwarded-for": "192.0.2.7"})
    lines = await access_lines(server, 4)

    for direct, behind in (lines[:2], lines[2:]):
        assert ("127.0.0.1", 'shop "1"') == (direct["client"], direct["user_agent"])
        assert "peer" not in direct
        assert ("192.0.2.7", "127.0.0.1") == (behind["client"], behind["peer"])


async def test_a_scrape_has_the_format_that_is_wanted_most(server: Server) -> None:
    """Weights decide, and what is excluded is not sent; the last one is what Prometheus sends."""
    text, open_metrics = "text/plain; version=0.0.4", "application/openmetrics-text; version=1.0.0"
    prometheus = (
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6",
        "application/openmetrics-text;version=0.0.1;q=0.5",
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4",
        "text/plain;version=0.0.4;q=0.3",
        "*/*;q=0.2",
    )
    cases = {
        "": text,
        "*/*": text,
        "application/json": text,
        "application/openmetrics-text;version=1.0.0,*/*;q=0.1": open_metrics,
        "text/plain;q=1, application/openmetrics-text;q=0.1": text,
        "application/openmetrics-text;q=0, text/plain": text,
        "text/plain;q=0, */*": open_metrics,
        "Application/OpenMetrics-Text; Version=1.0.0": open_metrics,
        'application/openmetrics-text; version="1.0.0"': open_metrics,
        "application/openmetrics-text;version=abc": text,
        "application/openmetrics-text;version=2.0.0, text/plain;q=0.1": text,
        "application/openmetrics-text;version=9;q=0, application/openmetrics-text": open_metrics,
        ",".join(reversed(prometheus)): open_metrics,
        ",".join(prometheus): f"{open_metrics}; charset=utf-8; escaping=allow-utf-8",
    }
    async with httpx.AsyncClient(base_url=server.metrics_url) as scraper:
        answers = {
            accept: await scraper.get("/metrics", headers={"accept": accept}) for accept in cases
        }
        lines = [("accept", "text/plain;q=0.1"), ("accept", "application/openmetrics-text")]
        answers["two lines"] = await scraper.get("/metrics", headers=lines)
    cases["two lines"] = open_metrics

    for accept, answer in answers.items():
        assert (accept, 200) == (accept, answer.status_code)
        assert answer.headers["content-type"].startswith(cases[accept]), accept
        whole = answer.text.endswith("# EOF\n")
        assert whole == (open_metrics in answer.headers["content-type"])


async def test_a_hostile_path_stays_in_its_line(server: Server, client: httpx.AsyncClient) -> None:
    """Quotes, escapes and broken UTF-8 in a path make one line of valid JSON."""
    await client.get("/%22%0A%1B%5B31m%FF%00%E2%82%AC")

    [line] = await access_lines(server, 1)
    assert line["path"].startswith('/"\n\x1b[31m')
    assert "unmatched" == line["route"]


async def test_the_level_changes_without_a_restart(
    serve: Callable[..., Server], database_url: str, tmp_path: Path
) -> None:
    """LOG_LEVEL_FILE switches the access log off and, when it goes, on again."""
    level = tmp_path / "level"
    level.write_text("WARN\n", encoding="utf-8")
    server = serve(DATABASE_URL=database_url, LOG_LEVEL_FILE=str(level))
    async with httpx.AsyncClient(base_url=server.url) as client:
        await client.get("/while-it-is-off")
        level.unlink()

        async def is_on() -> bool:
            await client.get("/while-it-changes")
            return bool(logged(server))

        await eventually(is_on)

    assert {"/while-it-changes"} == {line["path"] for line in logged(server)}


def test_bad_configuration_ends_with_2_and_one_line(tmp_path: Path) -> None:
    """The process says what is wrong on stderr, and nothing on stdout."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "orders", "serve"],
        env=kept | {"DATABASE_URL": "postgresql://me:s3cret@db/orders?sslmode=maybe"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (2, "") == (done.returncode, done.stdout)
    assert [done.stderr] == done.stderr.splitlines(keepends=True)
    assert done.stderr.startswith("orders: DATABASE_URL is a secret; allowed: its sslmode as ")
