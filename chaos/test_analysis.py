"""The analysis of a canary: its measurements come and go, and it gives no verdict without them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from chaos.canary import VERDICT, canaries, reach, rollout, taken_over
from chaos.conftest import Serve, Try
from chaos.experiment import Experiment
from chaos.load import Load, load
from chaos.neighbours import metrics_hidden, prometheus_away
from chaos.shop import Shop
from chaos.sizes import Size
from orders_operator.objects import Object
from tests.helpers.cluster import monitoring
from tests.helpers.cluster.autoscaling import MOST, QUIET, RUSH, autoscaled
from tests.helpers.cluster.kubectl import Namespace

_LONGER: Final = 240.0
"""Seconds for what waits for a metrics-server, and for windows of a Prometheus."""
_PROMETHEUS: Final = "http://prometheus-operated.monitoring.svc:9090"


@contextmanager
def monitored() -> Iterator[Namespace]:
    """Run a Prometheus; its namespace."""
    try:
        yield monitoring.install()
    finally:
        monitoring.remove()


def test_an_autoscaler_beside_a_canary_fails_no_request(serve: Serve, attempt: Try) -> None:
    """Pods come by load while the canary is judged, and go when that is over."""
    it = attempt("autoscaler")
    shop = serve("scaled", **autoscaled(), rollout=rollout())
    before = shop.namespace.rollout(shop.name)["stable"]
    with it, shop.load(it, rate=QUIET) as quiet:
        with load(shop.namespace, shop.url, name="rush", node=shop.node, rate=RUSH) as rush:
            it.mark(f"{RUSH:.0f} requests a second more, and another setting of the pods")
            change(shop)
            paused(shop)
            ready = f"jsonpath={{.status.readyReplicas}}={MOST}"
            shop.namespace.wait(f"deployment/{shop.name}", ready, _LONGER)
            it.mark(f"{MOST} stable pods")
            judged(it, shop)
            shop.namespace.annotate(shop.name)
            taken_over(it, shop, before, _LONGER)
            it.none("requests of the rush failed", rush.stop().failed)
            shop.beside = rush.ledger()
        it.mark("the rush is over")
        shop.scaled(1, _LONGER)
        it.mark("one pod is left")
        it.none("requests failed", quiet.stop().failed)


def test_a_canary_whose_metrics_cannot_be_read_is_held(
    serve: Serve, size: Size, attempt: Try
) -> None:
    """Its requests go well, but nobody has measured them: it stays, until somebody can."""
    it = attempt("unreadable")
    # What one policy lets in no other one keeps out, so the service has none of its own.
    shop = serve("hidden", replicas=3, rollout=rollout(), networkPolicy={"enabled": False})
    before = shop.namespace.rollout(shop.name)["stable"]
    with it, shop.load(it) as running:
        with metrics_hidden(shop.namespace, shop.name):
            it.mark("another setting of the pods, and a policy that hides the canary's metrics")
            change(shop)
            paused(shop)  # until the policy is in force: a network follows its pods
            reach(shop, "hidden", lambda now: verdict(now) == "Inconclusive", VERDICT)
            shop.namespace.annotate(shop.name)
            held(it, shop, running, size)
        it.mark("the policy is gone")
        judged(it, shop)
        taken_over(it, shop, before)
        it.none("requests failed", running.stop().failed)


def test_a_canary_waits_for_a_prometheus_that_is_away(
    serve: Serve, size: Size, attempt: Try
) -> None:
    """It is held where it is, and goes on when its metrics are there again."""
    asked = rollout(interval="10s", prometheus={"url": _PROMETHEUS})
    with attempt("prometheus-away") as it, monitored() as prometheus:
        shop = serve("asking", replicas=3, monitoring={"interval": "5s"}, rollout=asked)
        before = shop.namespace.rollout(shop.name)["stable"]
        with shop.load(it) as running:
            with prometheus_away(prometheus):
                it.mark("Prometheus is away; another setting of the pods")
                change(shop)
                reach(shop, "a canary that serves", lambda now: now.get("settledAt"), VERDICT)
                held(it, shop, running, size)
            it.mark("Prometheus is back")
            judged(it, shop)
            taken_over(it, shop, before, _LONGER)
            it.none("requests failed", running.stop().failed)


def change(shop: Shop) -> None:
    """Declare another revision."""
    shop.change(podTemplate={"env": [{"name": "QUEUE_LIMIT", "value": "4000"}]})


def paused(shop: Shop) -> None:
    """Keep a canary at its first step, once it serves."""
    now = reach(shop, "a canary that serves", lambda now: now.get("settledAt"), VERDICT)
    shop.namespace.annotate(shop.name, pause=now["revision"])


def held(it: Experiment, shop: Shop, running: Load, size: Size) -> None:
    """Expect that it stays at its first step, well beyond the time of that, and says why."""
    reach(shop, "inconclusive", lambda now: verdict(now) == "Inconclusive", VERDICT)
    it.mark("the analysis is inconclusive")
    running.go_on(15 + size.lead)
    now = shop.namespace.rollout(shop.name)
    it.expect("verdict", verdict(now), "Inconclusive", met=verdict(now) == "Inconclusive")
    it.expect("step", f"{now.get('step')}", "1", met=now.get("step") == 1)
    serving = len(canaries(shop))
    it.expect("canary pods", f"{serving}", "at least 1", met=serving > 0)
    it.note(f"It said: {now['message']}")


def judged(it: Experiment, shop: Shop) -> None:
    """Wait for a window that passed, with requests that were measured."""
    now = reach(shop, "judged", lambda now: verdict(now) == "Passed", _LONGER)
    it.at_least("requests measured", now["analysis"]["canary"]["requests"], 20, "requests")


def verdict(now: Object) -> str:
    """Return what the last window has come to; empty if there was none."""
    return str((now.get("analysis") or {}).get("verdict") or "")
