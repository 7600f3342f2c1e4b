"""A Prometheus that is asked for the numbers of a window, and what else may answer.

What the query says of series is tested with Prometheus' own engine, beside the alerts.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from orders_operator.api.rollout import Analysis, AnalysisPrometheus
from orders_operator.rollout.prometheus import ReadingError, ask
from orders_operator.rollout.windows import PROCESS, REQUESTS, STATUS
from tests.helpers.operator.metrics_pods import Pod, pods
from tests.operator.unit.rollout.test_analysis import KEY, Looking

Series = dict[str, Any]
SHOP = [{"metadata": {"name": "shop-1", "uid": "uid-1"}}]


class Prometheus:
    """What a Prometheus answers that has scraped pods: as its engine does to the query."""

    def __init__(self) -> None:
        """Start with nothing scraped, at a time of its own."""
        self.now = 1000.0
        self.scraped: dict[str, list[Series]] = {}
        self.status = 200
        self.body: Any = None
        """What it says instead."""

    def scrape(self, pod: Pod) -> None:
        """Have what a pod shows now."""
        _, body = pod.metrics.expose("text/plain; version=0.0.4")
        name = pod.object["metadata"]["name"]
        found = [_series(name, line) for line in body.decode().splitlines()]
        samples = [it for it in found if it is not None]
        began = next(it for it in samples if it["metric"].get("reading") == "started")
        at = {"metric": {**began["metric"], "reading": "scraped"}, "value": [0, str(self.now)]}
        self.scraped[name] = [*samples, at]

    async def answer(self, _: web.Request) -> web.Response:
        """Answer the query."""
        if self.body is not None:
            return web.json_response(self.body, status=self.status)
        now = {"metric": {"reading": "now"}, "value": [0, str(self.now)]}
        result = [now, *(it for series in self.scraped.values() for it in series)]
        return web.json_response({"status": "success", "data": {"result": result}})


def _series(pod: str, line: str) -> Series | None:
    """Return what the query makes of a line of an exposition."""
    name, _, rest = line.partition("{")
    if line.startswith(f"{PROCESS} "):
        return sample(pod, line.split()[1], reading="started")
    if name not in {f"{REQUESTS}_bucket", f"{REQUESTS}_count"}:
        return None
    labels, _, value = rest.rpartition("} ")
    pairs = dict(part.split("=", 1) for part in labels.split(","))
    kept = {key: pairs[key].strip('"') for key in ("le", STATUS) if key in pairs}
    return sample(pod, value, **kept)


def sample(pod: str, value: str, **labels: str) -> Series:
    """Return a series of a pod, as a ServiceMonitor has it scraped."""
    given = {"pod": pod, "container": "orders", "job": "shop", "instance": pod}
    return {"metric": {**given, **labels}, "value": [0, value]}


@asynccontextmanager
async def served(
    port: int, answer: Callable[[web.Request], Awaitable[web.Response]]
) -> AsyncIterator[str]:
    """Have somebody answer where a Prometheus should be; the URL of that."""
    app = web.Application()
    app.router.add_post("/api/v1/query", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def looking(port: int) -> AsyncIterator[tuple[Looking, Prometheus, Pod, Pod]]:
    """Have windows over a canary pod and a stable one, by a Prometheus."""
    prometheus = Prometheus()
    async with pods(2) as (canary, stable), served(port, prometheus.answer) as url:
        analysis = Analysis(
            interval="30s", min_requests=10, prometheus=AnalysisPrometheus(f"{url}/")
        )
        yield Looking(canary, stable, analysis), prometheus, canary, stable


async def test_a_window_begins_with_the_first_scrape_after_the_pods_served(
    unused_tcp_port: int,
) -> None:
    """So nothing of what a Prometheus had before is in it."""
    async with looking(unused_tcp_port) as (windows, prometheus, canary, stable):
        canary.serve(1000, errors=1000)
        for pod in (canary, stable):
            prometheus.scrape(pod)
        canary.serve(500, errors=500)
        assert await windows.after(0) is None
        assert await windows.after(5) is None
        prometheus.now += 15
        for pod in (canary, stable):
            prometheus.scrape(pod)
        assert await windows.after(5) is None
        assert 30 == windows.windows.left(KEY)
        canary.serve(20)
        prometheus.now += 30
        for pod in (canary, stable):
            prometheus.scrape(pod)
        found = await windows.after(30)
    assert found is not None
    assert ("Passed", 30) == (found.verdict, found.window_seconds)
    assert (20, 0) == (
        found.canary and found.canary.requests,
        found.canary and found.canary.errors,
    )


async def test_errors_that_begin_in_the_window_count(unused_tcp_port: int) -> None:
    """The first scrape of a series has errors that no increase of it tells of."""
    async with looking(unused_tcp_port) as (windows, prometheus, canary, stable):
        await windows.after(0)
        prometheus.now += 1
        prometheus.scrape(canary)
        prometheus.scrape(stable)
        await windows.after(5)
        canary.serve(20, errors=20)
        prometheus.now += 30
        prometheus.scrape(canary)
        prometheus.scrape(stable)
        found = await windows.after(30)
    assert found is not None
    assert "Failed" == found.verdict


async def test_no_data_is_said(unused_tcp_port: int) -> None:
    """As long as nobody scrapes the canary, and once nobody does any more."""
    async with looking(unused_tcp_port) as (windows, prometheus, canary, stable):
        assert await windows.after(0) is None
        found = await windows.after(30)
        assert found is not None
        assert "Inconclusive" == found.verdict
        assert "The metrics of shop-1 cannot be read: Prometheus at" in found.message
        assert "has no data for it" in found.message

        prometheus.now += 30
        prometheus.scrape(canary)
        prometheus.scrape(stable)
        assert await windows.after(30) is None
        found = await windows.after(30)
        assert found is not None
        assert ("Inconclusive", True) == (
            found.verdict, "Prometheus has no new data for shop-1" in found.message,
        )  # fmt: skip


async def test_a_prometheus_that_is_away_is_inconclusive(unused_tcp_port: int) -> None:
    """So a rollout holds while it cannot be asked; the window goes on when it is back."""
    url = f"http://127.0.0.1:{unused_tcp_port}"
    analysis = Analysis(interval="30s", prometheus=AnalysisPrometheus(url))
    async with pods(2) as (canary, stable):
        windows = Looking(canary, stable, analysis)
        for seconds in (0, 30):
            found = await windows.after(seconds)
            assert found is not None
            assert "Inconclusive" == found.verdict
            assert f"Prometheus at {url} cannot be queried" in found.message
        assert 30 == windows.windows.left(KEY)


@pytest.mark.parametrize(
    ("series", "said"),
    [
        ([], "has no data for it"),
        ([sample("shop-1", "5", reading="started")], "has no data for it"),
        ([sample("shop-1", "NaN")], "says that http_server_request_duration_seconds_count is nan"),
        ([sample("shop-1", "3")], "does not add up: 3 requests"),
        ([sample("shop-1", "3", le="1")], "does not add up"),
        ([sample("shop-1", "x")], "could not convert"),
    ],
)
async def test_what_is_no_reading_is_said(
    unused_tcp_port: int, series: list[Series], said: str
) -> None:
    """Never an exception, and never a pod without requests."""
    there = [sample("shop-1", "5", reading=it) for it in ("started", "scraped")]
    found = [*([] if "no data" in said else there), *series]
    prometheus = Prometheus()
    prometheus.scraped["shop-1"] = found
    async with served(unused_tcp_port, prometheus.answer) as url:
        read = await ask(url, "ns", SHOP)
    assert said in read.bad["uid-1"]


async def test_of_a_pod_with_sidecars_the_service_counts(unused_tcp_port: int) -> None:
    """And of two who scrape it one: or all would count twice."""

    def scraped(value: str, **labels: str) -> list[Series]:
        bucket = sample("shop-1", value, le="+Inf", **labels)
        marks = [sample("shop-1", "5", reading=it, **labels) for it in ("started", "scraped")]
        return [sample("shop-1", value, **labels), bucket, *marks]

    prometheus = Prometheus()
    prometheus.scraped["shop-1"] = [
        *scraped("500", container="a-proxy"), *scraped("20"), *scraped("20", job="other"),
    ]  # fmt: skip
    async with served(unused_tcp_port, prometheus.answer) as url:
        assert 20 == (await ask(url, "ns", SHOP)).good["uid-1"].counts.requests
        prometheus.scraped["shop-1"] = scraped("500", container="a-proxy")
        assert "has no data" in (await ask(url, "ns", SHOP)).bad["uid-1"]
        prometheus.scraped["shop-1"] = scraped("7", container="")
        assert 7 == (await ask(url, "ns", SHOP)).good["uid-1"].counts.requests


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (
            {"status": "error", "error": "too many samples"},
            422,
            "refused the query: too many samples",
        ),
        ({"status": "success", "data": {"result": []}}, 200, "did not answer the query"),
        ({}, 403, "refused the query: it answered 403"),
        (["hello"], 200, "cannot be queried"),
    ],
)
async def test_what_is_no_prometheus_is_said(
    unused_tcp_port: int, body: Any, status: int, said: str
) -> None:
    """An answer that is something else is no window without requests."""
    prometheus = Prometheus()
    prometheus.body, prometheus.status = body, status
    async with served(unused_tcp_port, prometheus.answer) as url:
        with pytest.raises(ReadingError, match=said):
            await ask(url, "ns", SHOP)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://127.0.0.1:{port}", "127.0.0.1", "{port}"),
        ("http://127.0.0.1.invalid/prometheus", "127.0.0.1.invalid", "80"),
        ("https://prometheus.invalid", "prometheus.invalid", "443"),
    ],
)
async def test_a_prometheus_that_cannot_be_reached_is_named(
    unused_tcp_port: int, url: str, host: str, port: str
) -> None:
    """Host, port, and the chart's value that lets the operator go there."""
    url, port = (text.format(port=unused_tcp_port) for text in (url, port))
    with pytest.raises(ReadingError) as caught:
        await ask(url, "ns", SHOP)

    ending = (
        f". Its host is {host}, its port {port}; the operator may connect only to"
        " the ports in operator.networkPolicy.prometheusPorts of the chart's values."
    )
    assert ending == str(caught.value)[-len(ending) :]


async def test_a_prometheus_with_no_such_port_is_said() -> None:
    """What is no port is no reason to end the pass."""
    with pytest.raises(ReadingError, match="cannot be queried"):
        await ask("http://prometheus:99999", "ns", SHOP)
