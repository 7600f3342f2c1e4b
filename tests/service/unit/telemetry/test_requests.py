"""What is recorded of a request, by the real metrics and the real log writer."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from orders.config import Config
from orders.telemetry.formatters import JsonFormatter
from orders.telemetry.logs import LogWriter
from orders.telemetry.metrics import Metrics
from orders.telemetry.requests import Requests
from orders.telemetry.tracing import Tracing
from tests.helpers.server import eventually

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


class Recorded:
    """Requests whose access lines go to a pipe."""

    def __init__(self) -> None:
        self._reader, self._descriptor = os.pipe()
        self.metrics = Metrics()
        self._writer = LogWriter(JsonFormatter(), self._descriptor, self.metrics.lines_dropped)
        self._tracing = Tracing.from_config(Config.from_env({}))
        self.requests = Requests(self.metrics, self._tracing, self._writer)

    def lines(self) -> list[dict[str, Any]]:
        """Return the access lines so far; nothing can be recorded after."""
        self.requests.record()
        self._writer.close()
        os.close(self._descriptor)
        with os.fdopen(self._reader, "rb") as reader:
            return [json.loads(line) for line in reader.read().splitlines()]

    def close(self) -> None:
        """Stop what was started."""
        self._tracing.shutdown()
        self.metrics.close()

    def labels(self) -> list[tuple[str, ...]]:
        """Return the label values of all requests."""
        self.requests.record()
        return list(self.metrics.requests.children)


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    """Record requests."""
    made = Recorded()
    yield made
    made.close()


def one(recorded: Recorded, method: str, route: str, path: str, status: int, **rest: Any) -> str:
    """Record one request; return its trace id."""
    headers = {"traceparent": rest["parent"]} if "parent" in rest else {}
    context = recorded.requests.begin(headers, "192.0.2.1:5000")
    recorded.requests.end(
        context, method, route, path, status, time.perf_counter(), rest.get("problem")
    )
    return context.trace_id


async def test_a_request_is_a_line_and_a_duration(recorded: Recorded) -> None:
    """Method, path, route, status and ids are in the line, the labels have no path."""
    trace_id = one(recorded, "GET", "/orders/{id}", "/orders/7", 200)
    [line] = recorded.lines()

    assert [("GET", "/orders/{id}", "200", "http", "", "")] == recorded.labels()
    assert ("GET", "/orders/7", "/orders/{id}") == (line["method"], line["path"], line["route"])
    assert (200, trace_id) == (line["status"], line["trace_id"])
    assert "problem" not in line


async def test_a_problem_is_named_in_both(recorded: Recorded) -> None:
    """The same word is in the label and in the line; a 503 counts as shed."""
    one(recorded, "POST", "/orders", "/orders", 503, problem="overloaded")
    recorded.metrics.expose("")
    [line] = recorded.lines()

    assert [("POST", "/orders", "503", "http", "overloaded", "overloaded")] == recorded.labels()
    shed = recorded.metrics.counters["orders_shed_total"]
    assert {("overloaded",): 1} == {labels: count for labels, count in shed.items() if count}
    assert ("overloaded", "INFO") == (line["problem"], line["level"])


async def test_a_method_of_the_callers_own_is_other(recorded: Recorded) -> None:
    """Invented methods share one label value."""
    for method in ("FOO", "BAR", "get", '"}'):
        one(recorded, method, "unmatched", "/x", 405)
    lines = recorded.lines()

    assert [("_OTHER", "unmatched", "405", "http", "", "")] == recorded.labels()
    assert ["_OTHER"] * 4 == [line["method"] for line in lines]


async def test_the_callers_trace_is_continued(recorded: Recorded) -> None:
    """With a traceparent the line has the caller's trace id and a span id of ours."""
    parent = f"00-{TRACE}-{PARENT}-00"
    trace_id = one(recorded, "GET", "/orders", "/orders", 200, parent=parent)
    [line] = recorded.lines()

    assert TRACE == trace_id == line["trace_id"]
    assert PARENT != line["span_id"]


async def test_what_ended_is_recorded_in_one_pass(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests wait for a timer, which records all of them at once, the first one first."""
    passes: list[list[str]] = []
    monkeypatch.setattr(
        recorded.metrics, "count", lambda ended: passes.append([r[2] for r in ended])
    )
    paths = [f"/orders/{number}" for number in range(100)]
    for path in paths:
        one(recorded, "GET", "/orders/{id}", path, 200)
    assert [] == passes

    await eventually(lambda: bool(passes))
    assert [paths] == passes
    one(recorded, "GET", "/orders/{id}", "/last", 200)

    assert [*paths, "/last"] == [line["path"] for line in recorded.lines()]
    assert [paths, ["/last"]] == passes


async def test_a_scrape_has_what_ended_before_it(recorded: Recorded) -> None:
    """Who asks for the metrics need not wait for the next pass."""
    one(recorded, "GET", "/orders/{id}", "/orders/7", 200)
    _, text = recorded.metrics.expose("")

    assert b'_seconds_count{error_type="",http_request_method="GET"' in text


async def test_idle_waits_for_the_last_request(recorded: Recorded) -> None:
    """`idle` returns at once when nothing is in flight, and else after the last end."""
    await recorded.requests.idle()
    contexts = [recorded.requests.begin({}, "192.0.2.1:5000") for _ in range(2)]
    waiting = asyncio.ensure_future(recorded.requests.idle())
    await asyncio.sleep(0)

    assert 2 == recorded.requests.in_flight
    recorded.requests.end(contexts[0], "GET", "/", "/", 200, 0.0)
    await asyncio.sleep(0)
    assert not waiting.done()
    recorded.requests.end(contexts[1], "GET", "/", "/", 200, 0.0)
    await asyncio.wait_for(waiting, 1)

    assert 0 == recorded.requests.in_flight
    assert 2 == len(recorded.lines())
