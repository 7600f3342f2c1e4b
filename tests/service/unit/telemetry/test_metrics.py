"""What a scrape says, as Prometheus' own parsers read it."""

import gc
import sys
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from orders import __version__
from orders.telemetry.histogram import Histogram
from orders.telemetry.metrics import Metrics
from orders.telemetry.reference import page
from tests.helpers.paths import ROOT

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
TRACE = "0af7651916cd43dd8448eb211c80319c"
DURATION = "http_server_request_duration_seconds"
DOCS = ROOT / "docs"

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="prometheus_client knows processes on Linux only"
)


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    """Have every family moved at least once."""
    made = Metrics()
    made.request("POST", "/orders", 201, None, 0.0004, TRACE)
    made.request("POST", "/orders", 201, None, 0.0005, None)
    made.request("POST", "/orders", 201, None, 99, None)
    made.request("GET", "/orders/{id}", 404, "order-not-found", 0.001, None)
    made.request("POST", "/orders", 503, "overloaded", 0.0001, None)
    made.batch("insert", 3, 0.002)
    made.batch("select", 1, 0.5, "connection-lost")
    made.retried("select")
    made.cold("POST", "/orders", 2)
    made.replayed()
    made.created(3)
    made.lines_dropped(7)
    made.lag.child().observe(0.0)
    made.watch_queue("insert", lambda: 5)
    made.watch_connections(lambda: {"idle": 7, "used": 1, "connecting": 0})
    made.watch_writes(lambda: {"standby": 1, "lock": 0})
    made.watch_in_flight(lambda: 2)
    made.watch_callers({"api": 3, "metrics": 1}, {"api": 620, "metrics": 64}, {"api": 2})
    made.watch_memory(120 << 20, 20 << 20, lambda: 5, lambda: 1)
    made.set_migration_version(4)
    yield made
    made.close()


def text(metrics: Metrics) -> list[Metric]:
    """Scrape as an old Prometheus does."""
    content_type, body = metrics.expose("text/plain;version=0.0.4")
    assert content_type.startswith("text/plain; version=0.0.4")
    return list(parse_text(body.decode()))


def openmetrics(metrics: Metrics) -> list[Metric]:
    """Scrape as Prometheus does today."""
    content_type, body = metrics.expose(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    return list(parse_openmetrics(body.decode()))


def value(families: Iterable[Metric], sample: str, **labels: str) -> float:
    """Return the one sample with this name that has these labels."""
    [found] = [
        candidate.value
        for family in families
        for candidate in family.samples
        if candidate.name == sample and labels.items() <= candidate.labels.items()
    ]
    return float(found)


def test_both_formats_say_the_same(metrics: Metrics) -> None:
    """The two formats have the same families; each has a name and a meaning of its own."""
    old, new = text(metrics), openmetrics(metrics)

    assert len(old) >= 20
    assert [family.name for family in old] == [family.name for family in new]
    assert len(old) == len({family.name for family in old})
    assert len(old) == len({family.documentation for family in old})


def test_names_follow_the_conventions(metrics: Metrics) -> None:
    """Counters end in _total and nothing else does; what is measured in seconds says so."""
    for family in openmetrics(metrics):
        for sample in family.samples:
            assert (family.type == "counter") == sample.name.endswith("_total")
            assert not any(unit in sample.name for unit in ("_ms", "_millis", "_kb", "_minutes"))
        if family.type == "histogram":
            assert family.name.endswith(("_seconds", "_size"))


def test_requests_are_counted_by_route_and_status(metrics: Metrics) -> None:
    """Method, route, status and problem are the labels; only what is the service's is an error."""
    families = text(metrics)
    created = {
        "http_request_method": "POST",
        "http_route": "/orders",
        "http_response_status_code": "201",
        "url_scheme": "http",
        "error_type": "",
        "problem": "",
    }
    missing = {
        "http_response_status_code": "404",
        "error_type": "",
        "problem": "order-not-found",
    }

    assert 3 == value(families, f"{DURATION}_count", **created)
    assert 99.0009 == pytest.approx(value(families, f"{DURATION}_sum", **created))
    assert 1 == value(families, f"{DURATION}_count", **missing)


def test_buckets_are_cumulative_from_half_a_millisecond(metrics: Metrics) -> None:
    """A bucket has all that is not slower than its bound, the last one everything."""
    [family] = [family for family in text(metrics) if family.name == DURATION]
    buckets = [
        (sample.labels["le"], sample.value)
        for sample in family.samples
        if sample.name == f"{DURATION}_bucket"
        and sample.labels["http_response_status_code"] == "201"
    ]
    bounds = [float(bound) for bound, _ in buckets]

    assert ("0.0005", 2) == buckets[0]
    assert ("+Inf", 3) == buckets[-1]
    assert sorted(bounds) == bounds
    assert sorted(count for _, count in buckets) == [count for _, count in buckets]


def test_exemplars_are_in_openmetrics_only(metrics: Metrics) -> None:
    """The bucket of a recorded request names its trace."""
    exemplars = [
        (sample.labels["le"], sample.exemplar.labels, sample.exemplar.value)
        for family in openmetrics(metrics)
        for sample in family.samples
        if sample.exemplar is not None
    ]

    assert [("0.0005", {"trace_id": TRACE}, 0.0004)] == exemplars
    assert TRACE.encode() not in metrics.expose("text/plain")[1]


def test_batches_and_totals(metrics: Metrics) -> None:
    """A batch is one operation; each total counts what its name says."""
    families = text(metrics)
    operation = "db_client_operation_duration_seconds"

    assert 1 == value(families, f"{operation}_count", db_operation_name="insert", error_type="")
    assert 1 == value(families, f"{operation}_count", error_type="connection-lost")
    assert 3 == value(families, "orders_batch_size_sum", operation="insert")
    assert 1 == value(families, "orders_shed_total", problem="overloaded")
    assert 1 == value(families, "orders_batches_retried_total", operation="select")
    assert 1 == value(families, "orders_replayed_total")
    assert 2 == value(families, "orders_cold_requests_total", http_route="/orders")
    assert 3 == value(families, "orders_created_total")
    assert 7 == value(families, "orders_log_lines_dropped_total")


def test_gauges_are_read_at_the_scrape(metrics: Metrics) -> None:
    """A gauge says what is true now."""
    families = text(metrics)

    assert 5 == value(families, "orders_queue_depth", operation="insert")
    assert 7 == value(families, "db_client_connection_count", state="idle")
    assert 1 == value(families, "orders_writes_blocked", reason="standby")
    assert 0 == value(families, "orders_writes_blocked", reason="lock")
    assert 2 == value(families, "http_server_active_requests")
    assert 4 == value(families, "orders_schema_version")
    assert 1 == value(families, "orders_build_info", version=__version__)
    assert value(families, "orders_uptime_seconds") >= 0
    assert value(families, "process_resident_memory_bytes") > 0


def test_totals_start_at_zero() -> None:
    """A rate has its first value at the first scrape: totals are there before anything moved."""
    metrics = Metrics()
    families = text(metrics)
    metrics.close()

    assert 0 == value(families, "orders_created_total")
    assert 0 == value(families, "orders_gc_collections_total", generation="2")


def test_garbage_collections_are_counted(metrics: Metrics) -> None:
    """A collection adds one, and its time, to its generation."""
    before = text(metrics)
    gc.collect()
    after = text(metrics)

    def moved(name: str) -> float:
        return value(after, name, generation="2") - value(before, name, generation="2")

    assert 1 == moved("orders_gc_collections_total")
    assert 0 < moved("orders_gc_pause_seconds_total") < 10


def test_closed_metrics_count_no_collections() -> None:
    """After close nothing of the object is called any more."""
    callbacks = list(gc.callbacks)
    Metrics().close()

    assert callbacks == gc.callbacks


@given(st.lists(st.floats(0, 20), max_size=50))
def test_every_value_is_in_exactly_one_bucket(values: list[float]) -> None:
    """Whatever is observed, the cumulated counts are what counting afresh gives."""
    bounds = (0.0005, 0.1, 1.0, 10.0)
    histogram = Histogram(bounds)
    for observed in values:
        histogram.observe(observed)
    expected = [sum(v <= bound for v in values) for bound in bounds] + [len(values)]

    assert expected == [count for _, count, _ in histogram.cumulative()]
    assert sum(values) == pytest.approx(histogram.total)


def test_the_reference_is_up_to_date(metrics: Metrics) -> None:
    """docs/metrics.md is what the declarations say, and names every sample's family."""
    written = (DOCS / "metrics.md").read_text(encoding="utf-8")

    assert page() == written
    for family in openmetrics(metrics):
        suffix = "_total" if family.type == "counter" else ""
        assert f"| `{family.name}{suffix}` | {family.type} | " in written
