"""Ten times a pod's capacity: it goes on serving what it can, and refuses the rest at once."""

from typing import Final

from chaos.conftest import Serve, Try
from chaos.load import load as run_load
from chaos.metrics import memory
from chaos.network import delayed
from chaos.postgresql import Server
from chaos.shop import Shop
from chaos.sizes import Size
from tests.helpers.cluster.kubectl import Namespace
from tests.helpers.cluster.postgresql import url

DELAY: Final = 100
"""Milliseconds to PostgreSQL, and few orders a batch: so the database bounds what a pod can do."""
_LIMITS: Final = {"BATCH_LIMIT": "4", "QUEUE_LIMIT": "32"}
SATURATING: Final = 150.0
"""Requests a second that are more than a pod can do, by which the peak is found."""
GOODPUT: Final = 0.8
REFUSED: Final = 50.0
GROWTH: Final = 16.0


def test_what_is_too_much_is_refused_at_once(
    serve: Serve, namespace: Namespace, postgresql: Server, size: Size, attempt: Try
) -> None:
    """The orders of a second stay at four fifths of the peak at least; refusals take 50 ms."""
    database, straight = postgresql.make()
    env = [{"name": name, "value": value} for name, value in _LIMITS.items()]
    with delayed(namespace, postgresql, DELAY) as slow, attempt("overload") as it:
        there = url(slow.host, straight.rpartition("/")[2])
        shop = serve("small", (database, there), podTemplate={"env": env})
        peak = peak_of(shop, size.overload / 2)
        it.note(f"{DELAY} ms to PostgreSQL: {slow.how}. The peak is {peak:.0f} orders a second.")
        before = memory(shop)
        watched = (*shop.addresses("/livez"), *shop.addresses("/readyz", 2121))
        with shop.load(it, rate=10 * peak, reads=0, watch=watched) as load:
            load.go_on(size.overload)
            report = load.stop()
            goodput = report.succeeded / len(report.seconds)
            it.at_least("goodput", goodput, GOODPUT * peak, "orders/s")
            it.at_most("refusals, p99", 1000 * report.refusal_latency.p99, REFUSED, "ms")
            it.none("failures other than refusals", report.failed - report.refused)
            it.at_most("memory added", memory(shop) - before, GROWTH, "MB")
            for address, seen in report.watched.items():
                bad = sum(seen.answers.values()) - seen.answers.get("200", 0)
                it.none(f"answers of /{address.rpartition('/')[2]} other than 200", bad)
            it.none("restarts", shop.restarts())
            late = 100 * report.late / report.requests
            it.at_most("requests that the generator itself started late", late, 1, "%")


def peak_of(shop: Shop, seconds: float) -> float:
    """Return the orders a second that are placed at most, seen with somewhat more than that."""
    node = shop.node
    with run_load(
        shop.namespace, shop.url, name="peak", node=node, rate=SATURATING, reads=0
    ) as run:
        run.go_on(seconds)
        found = run.stop().seconds[1:-1]
    return sum(second.requests - second.failed for second in found) / len(found)
