"""Lines, metrics and probes as others read them."""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import kopf
import pytest
from kopf._core.actions.loggers import ObjectLogger

from orders_common.tracing import TracingConfig
from orders_operator.telemetry import logs
from orders_operator.telemetry.metrics import Metrics
from orders_operator.telemetry.port import Port
from orders_operator.telemetry.spans import Spans
from orders_operator.telemetry.tracing import Tracing
from tests.helpers import without_ipv6
from tests.helpers.log_filters import remove_log_filters

KEY = ("ns", "x")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Send logging to a buffer for the time of a test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("INFO", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def test_a_line_is_json_with_the_services_fields(lines: io.StringIO) -> None:
    """Time in UTC with milliseconds, level, logger, message, and the ids of the reconcile."""
    with Tracing().reconcile(*KEY):
        logging.getLogger("orders_operator.x").info("hello %s", "you")

    line = json.loads(lines.getvalue())

    assert [
        "time",
        "level",
        "logger",
        "message",
        "trace_id",
        "span_id",
        "namespace",
        "resource",
    ] == list(line)
    assert ("INFO", "orders_operator.x", "hello you") == (
        line["level"],
        line["logger"],
        line["message"],
    )
    assert line["time"].endswith("Z")
    assert (32, 16) == (len(line["trace_id"]), len(line["span_id"]))
    assert KEY == (line["namespace"], line["resource"])


def test_a_line_is_escaped_beyond_ascii(lines: io.StringIO) -> None:
    """The bytes of a line: what is not ASCII is escaped, and no character ends it early."""
    logging.getLogger("x").warning("no \u2028 \N{SNOWMAN}\n%d", 7)
    _, rest = lines.getvalue().split(", ", 1)

    told = r"no \u2028 \u2603\n7"
    assert f'"level": "WARNING", "logger": "x", "message": "{told}"}}\n' == rest


def test_a_line_of_kopf_names_its_object(lines: io.StringIO) -> None:
    """Kopf's own warnings about an object are lines like others, without Kopf's settings."""
    body = kopf.Body({"metadata": {"name": "x", "namespace": "ns", "uid": "u"}})
    ObjectLogger(body=body, settings=kopf.OperatorSettings()).warning("it failed")
    line = json.loads(lines.getvalue())

    assert ["time", "level", "logger", "message", "namespace", "resource"] == list(line)
    assert ("kopf.objects", "it failed", *KEY) == tuple(line.values())[2:]


def test_a_line_names_images_in_full(lines: io.StringIO) -> None:
    """An image by tag and digest is no credential, although it looks like one."""
    image = "registry.example:5000/orders/service:1.2@sha256:4f2"
    logging.getLogger("x").warning("no %s", image)

    assert f"no {image}" == json.loads(lines.getvalue())["message"]


def test_a_line_has_no_credentials(lines: io.StringIO) -> None:
    """The password of a URL is masked wherever it comes from."""
    url = "postgresql://u:hunter2@h/db"
    try:
        raise ValueError(url)  # noqa: TRY301  to have a traceback
    except ValueError:
        logging.getLogger("x").exception("no %s", url, extra={"at": url})
    line = json.loads(lines.getvalue())

    for field in ("message", "exception", "at"):
        assert "hunter2" not in line[field]
        assert "postgresql://***@h/db" in line[field]


def test_an_exception_is_one_line(lines: io.StringIO) -> None:
    """A stack trace stays in its JSON object."""
    try:
        raise ValueError("boom")  # noqa: TRY301  to have a traceback
    except ValueError:
        logging.getLogger("x").exception("failed")

    [line] = lines.getvalue().splitlines()
    assert "boom" in json.loads(line)["exception"]


def test_a_resources_series_go_with_it() -> None:
    """An alert on a condition must not outlive its resource."""
    metrics = Metrics("0")
    metrics.conditions(KEY, {"Ready": "True", "Paused": "False"})
    _, body = metrics.expose("")
    series = b'orders_operator_condition{name="x",namespace="ns",status="True",type="Ready"} 1.0'
    assert series in body

    metrics.conditions(KEY, {"Ready": "False"})
    _, body = metrics.expose("")
    assert series not in body
    assert b"Paused" not in body

    metrics.forget(KEY)
    metrics.forget(KEY)
    _, body = metrics.expose("")
    assert b'name="x"' not in body
    assert frozenset() == metrics.keys()


def test_a_rollout_is_in_one_phase_with_one_verdict() -> None:
    """The series of what was before goes, and both go where nothing is said any more."""
    metrics = Metrics("0")
    for phase, verdict in (("Canary", "Inconclusive"), ("Baking", "Passed")):
        metrics.rollout(KEY, {"phase": phase, "analysis": {"verdict": verdict}})
        _, body = metrics.expose("")
        lines = [it for it in body.decode().splitlines() if 'name="x"' in it]
        assert [
            f'orders_operator_rollout{{name="x",namespace="ns",phase="{phase}"}} 1.0',
            f'orders_operator_analysis{{name="x",namespace="ns",verdict="{verdict}"}} 1.0',
        ] == lines
    metrics.rollout(KEY, {"phase": "Stable"})
    assert b"verdict=" not in metrics.expose("")[1]
    metrics.rollout(KEY, {})
    assert b'name="x"' not in metrics.expose("")[1]


def test_every_metric_is_there_from_the_start() -> None:
    """Rates of what never happened are 0."""
    metrics = Metrics("1.2.3")
    metrics.watch_leader(lambda: True)
    metrics.watch_queue(lambda: 3, lambda: 1)
    _, body = metrics.expose("")

    for line in (
        b'orders_operator_reconciles_total{result="error"} 0.0',
        b"orders_operator_queue_depth 3.0",
        b"orders_operator_queue_failing 1.0",
        b"orders_operator_leader 1.0",
        b'orders_operator_build_info{version="1.2.3"} 1.0',
        b"orders_operator_reconcile_duration_seconds_count 0.0",
        b"process_resident_memory_bytes",
    ):
        assert line in body


@pytest.fixture
async def port() -> AsyncIterator[tuple[httpx2.AsyncClient, dict[str, str | None]]]:
    """Run the port; what is wrong is what the test puts into the dict."""
    wrong: dict[str, str | None] = {}
    opened = Port(Metrics("0"), lambda: wrong.get("live"), lambda: wrong.get("ready"))
    number = await opened.open(0)
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{number}") as client:
        yield client, wrong
    await opened.close()


async def test_probes_say_why(
    port: tuple[httpx2.AsyncClient, dict[str, str | None]],
) -> None:
    """Each probe has its own reasons; 503 comes with words."""
    client, wrong = port
    assert 200 == (await client.get("/livez")).status_code
    assert 200 == (await client.get("/readyz")).status_code
    assert 404 == (await client.get("/")).status_code

    wrong["live"] = "the watch is behind"
    answer = await client.get("/livez")

    assert (503, "the watch is behind\n") == (answer.status_code, answer.text)
    assert 200 == (await client.get("/readyz")).status_code


async def test_metrics_are_scraped(
    port: tuple[httpx2.AsyncClient, dict[str, str | None]],
) -> None:
    """Prometheus text by default, OpenMetrics when asked for."""
    client, _ = port
    plain = await client.get("/metrics")
    open_metrics = await client.get(
        "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
    )

    assert plain.headers["content-type"].startswith("text/plain")
    assert open_metrics.headers["content-type"].startswith("application/openmetrics-text")
    assert open_metrics.text.endswith("# EOF\n")


def test_a_collector_that_is_away_is_one_line(
    lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exporter tries again and gives up; the log says once that nobody listens."""
    remove_log_filters()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "2")
    nowhere = TracingConfig(exporter="otlp", endpoint="http://127.0.0.1:9/v1/traces")
    spans = Spans(nowhere, "1.2.3")
    with spans.reconcile(*KEY):
        pass
    spans._provider.force_flush()
    spans.flush()

    [line] = lines.getvalue().splitlines()
    assert "refused" in json.loads(line)["message"]


def test_a_reconcile_is_a_span(capfd: pytest.CaptureFixture[str]) -> None:
    """With an exporter each reconcile is exported, its failure by name."""
    tracing = Tracing.configured(
        TracingConfig(exporter="console", service_name="orders-operator"), "1.2.3"
    )

    with pytest.raises(OSError, match="boom"), tracing.reconcile(*KEY):
        raise OSError("boom")
    tracing.shutdown()

    span = json.loads(capfd.readouterr().err)
    assert "reconcile OrderService" == span["name"]
    assert "ERROR" == span["status"]["status_code"]
    assert {
        "k8s.namespace.name": "ns",
        "orders.orderservice.name": "x",
        "error.type": "OSError",
    } == span["attributes"]
    assert "orders-operator" == span["resource"]["attributes"]["service.name"]


_OPEN = """
import asyncio, sys
from orders_operator.telemetry.metrics import Metrics
from orders_operator.telemetry.port import Port

async def reached(port, host):
    _, writer = await asyncio.open_connection(host, port)
    writer.close()

async def main():
    opened = Port(Metrics("0"), lambda: None, lambda: None)
    port = await opened.open(0)
    for host in sys.argv[1:]:
        await reached(port, host)
    await opened.close()

asyncio.run(main())
"""


def test_the_port_is_open_on_every_address() -> None:
    """It is reached by IPv6 and by IPv4."""
    subprocess.run([sys.executable, "-c", _OPEN, "127.0.0.1", "::1"], check=True, timeout=60)


def test_without_ipv6_the_port_is_open_on_every_ipv4_address(tmp_path: Path) -> None:
    """Where the kernel has no IPv6 it is reached by IPv4."""
    environment = {**os.environ, "PYTHONPATH": without_ipv6.python_path(tmp_path)}
    command = [sys.executable, "-c", _OPEN, "127.0.0.1"]
    subprocess.run(command, check=True, timeout=60, env=environment)
