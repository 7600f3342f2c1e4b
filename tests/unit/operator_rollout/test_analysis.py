"""Windows of a canary, read from the metrics of pods over HTTP."""

from datetime import UTC, datetime
from typing import Final

import pytest
from aiohttp import web

from orders_operator.api.rollout import Analysis, AnalysisPrometheus
from orders_operator.api.status import AnalysisStatus, Measured
from orders_operator.reconcile.analysis import Compared, Windows
from orders_operator.rollout.reading import ReadingError, ask, scrape
from tests.unit.operator_rollout.pods_metrics import Pod, pods

KEY: Final = ("ns", "shop")
ANALYSIS: Final = Analysis(interval="30s", min_requests=10)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        """Start at zero."""
        self.seconds = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


class Looking:
    """Windows over a canary pod and a stable one."""

    def __init__(self, canary: Pod, stable: Pod, analysis: Analysis = ANALYSIS) -> None:
        """Start with no window."""
        self.clock = Clock()
        self.analysis = analysis
        self.windows = Windows(lambda: datetime(2026, 1, 2, tzinfo=UTC), self.clock)
        self.compared = Compared("b", 1, [canary.object], [stable.object])

    async def after(self, seconds: float) -> AnalysisStatus | None:
        """Look again after a time."""
        self.clock.seconds += seconds
        return await self.windows.look(KEY, self.analysis, self.compared)


async def test_a_window_compares_what_was_served_in_it() -> None:
    """Not what came before; and it has the numbers of both."""
    async with pods(2) as (canary, stable):
        looking = Looking(canary, stable)
        canary.serve(1000, errors=1000)
        assert await looking.after(0) is None
        assert 30 == looking.windows.left(KEY, ANALYSIS)
        canary.serve(20)
        stable.serve(200, errors=2)
        assert await looking.after(29) is None
        found = await looking.after(1)

    assert found is not None
    assert ("Passed", 30) == (found.verdict, found.window_seconds)
    assert Measured(1, 20, 0, 0.0, 49.75) == found.canary
    assert Measured(1, 200, 2, 0.01, 49.75) == found.stable


async def test_a_window_with_too_few_requests_goes_on() -> None:
    """Until there are enough: then all of them count."""
    async with pods(2) as (canary, stable):
        looking = Looking(canary, stable)
        await looking.after(0)
        canary.serve(6, errors=1)
        found = await looking.after(30)
        assert found is not None
        assert "Inconclusive" == found.verdict
        canary.serve(6)
        found = await looking.after(30)

    assert found is not None
    assert ("Failed", 60) == (found.verdict, found.window_seconds)
    assert "1 of 12 requests" in found.message


async def test_another_step_begins_another_window() -> None:
    """So does another revision."""
    async with pods(2) as (canary, stable):
        looking = Looking(canary, stable)
        await looking.after(0)
        canary.serve(20, errors=20)
        looking.compared = Compared("b", 2, [canary.object], [stable.object])
        assert await looking.after(30) is None
        canary.serve(20)
        found = await looking.after(30)
    assert found is not None
    assert "Passed" == found.verdict


async def test_a_pod_that_began_anew_is_left_out() -> None:
    """What it counts now is not the difference to what it had counted."""
    async with pods(2) as (canary, stable):
        looking = Looking(canary, stable)
        canary.serve(50)
        await looking.after(0)
        canary.restart()
        canary.serve(20)
        found = await looking.after(30)
        assert found is not None
        assert ("Inconclusive", "0 of 10") == (found.verdict, found.message[:7])
        canary.serve(20)
        found = await looking.after(30)
    assert found is not None
    assert "Passed" == found.verdict


async def test_pods_that_cannot_be_read_are_inconclusive() -> None:
    """It says why; the window goes on once they can be."""
    async with pods(2) as (canary, stable):
        looking = Looking(canary, stable)
        await looking.after(0)
        canary.serve(20)
        canary.status = stable.status = 503
        found = await looking.after(30)
        assert found is not None
        assert "Inconclusive" == found.verdict
        assert "shop-1 answered 503" in found.message
        canary.status = stable.status = 200
        found = await looking.after(30)
    assert found is not None
    assert "Passed" == found.verdict


async def test_one_pod_that_cannot_be_read_hides_no_other() -> None:
    """Nor does one without an address."""
    async with pods(2) as (good, bad):
        bad.status = 404
        homeless = {"metadata": {"name": "x", "uid": "x"}, "status": {}}
        assert {"uid-1"} == (await scrape([good.object, bad.object, homeless])).keys()
        with pytest.raises(ReadingError, match="x has no address"):
            await scrape([homeless])


async def test_a_prometheus_that_is_away_is_inconclusive(unused_tcp_port: int) -> None:
    """So a rollout holds while it cannot be asked."""
    url = f"http://127.0.0.1:{unused_tcp_port}"
    analysis = Analysis(interval="30s", prometheus=AnalysisPrometheus(url))
    async with pods(2) as (canary, stable):
        looking = Looking(canary, stable, analysis)
        assert await looking.after(0) is None
        found = await looking.after(30)
    assert found is not None
    assert "Inconclusive" == found.verdict
    assert f"Prometheus at {url} cannot be asked" in found.message


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
        await ask(url, "ns", [{"metadata": {"name": "x", "uid": "x"}}], 30)

    ending = (
        f". Its host is {host}, its port {port}; the operator is let out to the"
        " ports of operator.networkPolicy.prometheusPorts in the chart's values."
    )
    assert ending == str(caught.value)[-len(ending) :]


async def test_a_prometheus_with_no_such_port_is_said() -> None:
    """What is no port is no reason to end the pass."""
    with pytest.raises(ReadingError, match="cannot be asked"):
        await ask("http://prometheus:99999", "ns", [{"metadata": {"name": "x", "uid": "x"}}], 30)


async def test_what_is_no_prometheus_is_said(unused_tcp_port: int) -> None:
    """An answer that is something else is no window without requests."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_post("/api/v1/query", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    pod = {"metadata": {"name": "x", "uid": "x"}}
    try:
        with pytest.raises(ReadingError, match="cannot be asked"):
            await ask(f"http://127.0.0.1:{unused_tcp_port}/", "ns", [pod], 30)
    finally:
        await runner.cleanup()


async def test_a_sidecar_with_a_port_of_the_same_name_is_not_read() -> None:
    """Also where a policy has put it first: the service's own container says its port."""
    async with pods(2) as (served, sidecar):
        served.serve(20)
        sidecar.serve(500, errors=500)
        beside = {"name": "proxy", "ports": sidecar.ports}
        served.object["spec"]["containers"].insert(0, beside)
        found = await scrape([served.object])
    assert [(20, 0)] == [(it.requests, it.errors) for it in found.values()]


async def test_what_a_prometheus_has_of_sidecars_does_not_count(unused_tcp_port: int) -> None:
    """Where it says which container a series is of, the service's own count; else all of a pod."""

    def series(pod: str, value: str, **labels: str) -> dict[str, object]:
        return {"metric": {"pod": pod, **labels}, "value": [0, value]}

    result = [
        series("shop-1", "500", container="proxy"),
        series("shop-1", "20", container="orders"),
        series("shop-2", "7"),
        series("shop-3", "9", container="proxy"),
    ]

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"status": "success", "data": {"result": result}})

    app = web.Application()
    app.router.add_post("/api/v1/query", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    asked = [{"metadata": {"name": f"shop-{it}", "uid": str(it)}} for it in (1, 2, 3)]
    try:
        found = await ask(f"http://127.0.0.1:{unused_tcp_port}", "ns", asked, 30)
    finally:
        await runner.cleanup()
    assert {"1": 20, "2": 7, "3": 9} == {uid: it.requests for uid, it in found.items()}
