"""PostgreSQL is killed, fails over, or is away: the service stays up, and loses nothing."""

from collections.abc import Iterator
from typing import Final

import pytest

from chaos.conftest import Serve, Try
from chaos.experiment import Experiment
from chaos.load import load
from chaos.pair import Pair
from chaos.postgresql import Server
from chaos.shop import Shop
from chaos.sizes import Size
from orders_operator.load.report import Latency, Report
from tests.helpers.cluster.kubectl import Namespace

TIMEOUT: Final = 10
"""Seconds that a request may take here."""
_ENV: Final = [{"name": "REQUEST_TIMEOUT", "value": f"{TIMEOUT}s"}]
RECOVERED: Final = 5.0
AT_ONCE: Final = 100.0
"""Milliseconds."""


@pytest.fixture
def pair(namespace: Namespace) -> Iterator[Pair]:
    """Run a primary and its replica."""
    made = Pair(namespace)
    made.start()
    yield made
    made.remove()


def test_a_killed_postgresql_fails_no_request(
    serve: Serve, postgresql: Server, attempt: Try
) -> None:
    """Its process and its pod are killed; another pod comes within the requests' deadline."""
    shop = serve("patient", replicas=2, podTemplate={"env": _ENV})
    before = shop.restarts()
    with (
        attempt("postgresql-killed") as it,
        shop.load(it, timeout=3 * TIMEOUT, watch=shop.addresses("/livez")) as running,
    ):
        it.mark("kill -9 of PostgreSQL, and its pod is deleted")
        postgresql.kill()
        postgresql.ready()
        it.mark("PostgreSQL takes connections")
        nothing_happened(it, shop, running.stop(), before)


def test_a_failover_fails_no_request(serve: Serve, pair: Pair, attempt: Try) -> None:
    """The primary is killed for good, and the replica promoted: each order is there, once."""
    shop = serve("replicated", (pair.first, pair.url), replicas=2, podTemplate={"env": _ENV})
    before = shop.restarts()
    with (
        attempt("postgresql-failover") as it,
        shop.load(it, timeout=3 * TIMEOUT, watch=shop.addresses("/livez")) as running,
    ):
        it.mark("kill -9 of the primary")
        shop.database = pair.fail_over()
        it.mark("the replica is the primary")
        nothing_happened(it, shop, running.stop(), before)


def nothing_happened(it: Experiment, shop: Shop, report: Report, before: int) -> None:
    """Expect that no request failed, no pod was started again, and that all were alive."""
    it.none("requests failed", report.failed)
    it.none("restarts of service pods", shop.restarts() - before)
    answers = [watched.answers for watched in report.watched.values()]
    said = sum(number for it in answers for number in it.values())
    good = sum(it.get("200", 0) for it in answers)
    it.none(f"of {said:,} answers of /livez other than 200", said - good)


def test_postgresql_that_is_away_is_said_at_once(
    serve: Serve, postgresql: Server, size: Size, attempt: Try
) -> None:
    """Once a deadline passed each request is refused at once; back again, all are served in 5 s.

    The callers reach pods that are not ready, too: else nobody would answer them.
    """
    env = [{"name": "REQUEST_TIMEOUT", "value": "2s"}]
    shop = serve("refusing", replicas=2, podTemplate={"env": env})
    shop.namespace.apply(_of_all_pods(shop.name))
    direct = f"http://{shop.name}-all.{shop.namespace.name}.svc"
    with (
        attempt("postgresql-away") as it,
        shop.load(it, url=direct, watch=shop.addresses("/livez")) as running,
    ):
        it.mark("PostgreSQL is stopped")
        postgresql.stop()
        deployment = f"deployment/{shop.name}"
        unready = "jsonpath={.status.unavailableReplicas}=2"
        it.at_most("until no pod was ready", shop.namespace.wait(deployment, unready, 60), 15, "s")
        it.mark("no pod is ready")
        refusals = refused(shop, direct, size.away)
        postgresql.resume()
        postgresql.ready()
        back = it.mark("PostgreSQL takes connections")
        shop.namespace.wait(deployment, "jsonpath={.status.readyReplicas}=2", 60)
        ready = it.mark("every pod is ready")
        running.go_on(RECOVERED)
        report = running.stop()
        began = report.started_at.timestamp()
        after = [s.at for s in report.seconds if s.failed and began + s.at > back]
        it.none("failures other than 503 with Retry-After", report.failed - report.refused)
        it.at_most("refused after, p99", 1000 * refusals.p99, AT_ONCE, "ms")
        it.note(f"{refusals.count} of the refusals were timed, the longest {refusals.max:.3f} s.")
        it.at_most("until every pod was ready", ready - back, RECOVERED, "s")
        served = max((began + at + 1 - back for at in after), default=0.0)
        it.at_most("until every request was served", served, RECOVERED, "s")
        it.none("restarts of service pods", shop.restarts())


def refused(shop: Shop, url: str, seconds: float) -> Latency:
    """Ask for so long what is only refused; return what that took."""
    node, rate = shop.node, shop.size.rate
    with load(shop.namespace, url, name="refused", node=node, rate=rate, first=0) as asking:
        asking.go_on(seconds)
        return asking.stop().refusal_latency


def _of_all_pods(name: str) -> dict[str, object]:
    labels = {"app.kubernetes.io/instance": name, "app.kubernetes.io/component": "api"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"{name}-all"},
        "spec": {
            "selector": labels,
            "publishNotReadyAddresses": True,
            "ports": [{"port": 80, "targetPort": "http"}],
        },
    }
