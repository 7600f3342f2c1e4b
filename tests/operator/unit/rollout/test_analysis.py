"""Windows of a canary, read from the metrics of pods over HTTP."""

from datetime import UTC, datetime
from typing import Final

from orders_operator.api.rollout import Analysis
from orders_operator.api.status import AnalysisStatus, Measured
from orders_operator.reconcile.analysis import Windows
from orders_operator.rollout.measure import Compared
from orders_operator.rollout.reading import scrape
from tests.helpers.operator.metrics_pods import Pod, pods

KEY: Final = ("ns", "shop")
ANALYSIS: Final = Analysis(interval="30s", min_requests=10)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


class Looking:
    """Windows over a canary pod and a stable one."""

    def __init__(self, canary: Pod, stable: Pod, analysis: Analysis = ANALYSIS) -> None:
        self.clock = Clock()
        self.analysis = analysis
        self.windows = Windows(lambda: datetime(2026, 1, 2, tzinfo=UTC), self.clock)
        self.compared = Compared("b", "step 1", [canary.object], [stable.object])
        self.credential: str | None = None

    async def after(self, seconds: float) -> AnalysisStatus | None:
        """Look again after a time."""
        self.clock.seconds += seconds
        return await self.windows.judge(KEY, self.analysis, self.compared, self.credential)


async def test_a_window_compares_what_was_served_in_it() -> None:
    """Not what came before; and it has the numbers of both."""
    async with pods(2) as (canary, stable):
        looking = Looking(canary, stable)
        canary.serve(1000, errors=1000)
        assert await looking.after(0) is None
        assert 30 == looking.windows.left(KEY)
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
        looking.compared = Compared("b", "step 2", [canary.object], [stable.object])
        assert await looking.after(30) is None
        canary.serve(20)
        found = await looking.after(30)
    assert found is not None
    assert "Passed" == found.verdict


async def test_a_canary_pod_that_began_anew_is_inconclusive() -> None:
    """What it counts now is not the difference to what it had counted; another window begins."""
    async with pods(2) as (canary, stable):
        looking = Looking(canary, stable)
        canary.serve(50)
        await looking.after(0)
        canary.restart()
        canary.serve(20)
        found = await looking.after(30)
        assert found is not None
        assert ("Inconclusive", True) == (
            found.verdict,
            "shop-1 restarted its counters" in found.message,
        )
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
        assert "The metrics of shop-1 cannot be read: it answered 503." == found.message
        canary.status = stable.status = 200
        found = await looking.after(30)
    assert found is not None
    assert "Passed" == found.verdict


async def test_one_pod_that_cannot_be_read_hides_no_other() -> None:
    """It is said of each why: a status, no address, nothing to read, a number that is none."""
    async with pods(4) as (good, bad, empty, odd):
        bad.status = 404
        empty.body = b""
        odd.body = (
            b"# TYPE http_server_request_duration_seconds histogram\n"
            b"http_server_request_duration_seconds_count NaN\n"
        )
        homeless = {"metadata": {"name": "x", "uid": "x"}, "status": {}}
        found = await scrape([it.object for it in (good, bad, empty, odd)] + [homeless])
    assert {"uid-1"} == found.good.keys()
    assert {
        "uid-2": "it answered 404",
        "uid-3": "its metrics contain no http_server_request_duration_seconds",
        "uid-4": "http_server_request_duration_seconds_count is nan",
        "x": "the pod has no address",
    } == found.bad


async def test_the_metrics_of_another_are_not_taken_for_those_of_a_pod() -> None:
    """One that sends whoever asks elsewhere cannot be read."""
    async with pods(2) as (canary, stable):
        canary.elsewhere = f"http://127.0.0.1:{stable.ports[0]['containerPort']}/metrics"
        found = await scrape([canary.object, stable.object])
    assert {"uid-2"} == found.good.keys()
    assert {"uid-1": "it answered 302"} == found.bad


async def test_one_canary_pod_that_cannot_be_read_keeps_the_others_from_passing() -> None:
    """It may be the bad one; once it can be read, what it did meanwhile counts."""
    async with pods(3) as (canary, hidden, stable):
        looking = Looking(canary, stable)
        looking.compared = Compared("b", "step 1", [canary.object, hidden.object], [stable.object])
        await looking.after(0)
        canary.serve(500)
        hidden.serve(100, errors=100)
        hidden.status = 500
        found = await looking.after(30)
        assert found is not None
        assert ("Inconclusive", True) == (found.verdict, "shop-2" in found.message)
        hidden.status = 200
        found = await looking.after(30)
    assert found is not None
    assert ("Failed", 2) == (found.verdict, found.canary and found.canary.pods)


async def test_a_canary_that_cannot_be_read_from_the_start_is_inconclusive() -> None:
    """No window begins without it."""
    async with pods(2) as (canary, stable):
        looking = Looking(canary, stable)
        canary.status = 503
        for _ in range(3):
            found = await looking.after(30)
            assert found is not None
            assert "Inconclusive" == found.verdict
        canary.status = 200
        assert await looking.after(30) is None
        canary.serve(20)
        found = await looking.after(30)
    assert found is not None
    assert "Passed" == found.verdict


async def test_a_sidecar_with_a_port_of_the_same_name_is_not_read() -> None:
    """Also where a policy has put it first: the service's own container says its port."""
    async with pods(2) as (served, sidecar):
        served.serve(20)
        sidecar.serve(500, errors=500)
        beside = {"name": "proxy", "ports": sidecar.ports}
        served.object["spec"]["containers"].insert(0, beside)
        found = await scrape([served.object])
    assert [(20, 0)] == [(it.counts.requests, it.counts.errors) for it in found.good.values()]


async def test_pods_that_ask_for_a_key_are_shown_it() -> None:
    """Those that mount who may read; the others see no key, and are read as before."""
    async with pods(2) as (canary, stable):
        looking = Looking(canary, stable)
        looking.credential = "orders_key"
        canary.close("orders_key")
        await looking.after(0)
        canary.serve(20)
        stable.serve(20)
        found = await looking.after(30)

    assert found is not None
    assert "Passed" == found.verdict
    assert ("orders_key", None) == (canary.shown, stable.shown)


async def test_a_key_that_pods_do_not_take_yet_holds_a_rollout() -> None:
    """A kubelet may be late with it: nobody knows what they have counted, and no word has it."""
    async with pods(2) as (canary, stable):
        looking = Looking(canary, stable)
        looking.credential = "orders_new"
        canary.close("orders_old")
        await looking.after(0)
        canary.serve(20)
        found = await looking.after(30)
        assert found is not None
        assert "Inconclusive" == found.verdict
        assert "it answered 401" in found.message
        assert "orders_new" not in found.message
        canary.close("orders_old", "orders_new")
        await looking.after(30)
        canary.serve(20)
        stable.serve(20)
        found = await looking.after(30)

    assert found is not None
    assert "Passed" == found.verdict
