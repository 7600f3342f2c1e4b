"""Clocks that are wrong, and a network that is slow."""

from typing import Final

from chaos.conftest import Serve, Try
from chaos.images.build import IMAGE as FAULTY
from chaos.network import delayed
from chaos.postgresql import Server
from chaos.sizes import Size
from tests.helpers.cluster.kubectl import IMAGE, Namespace
from tests.helpers.cluster.postgresql import url

DELAY: Final = 200
DEADLINE: Final = 5.0
"""Seconds that a request may take, as the service has it when nothing is set."""
_SKEW: Final = {
    "LD_PRELOAD": "/usr/lib/faketime/libfaketimeMT.so.1",
    "FAKETIME": "+5m",
    "DONT_FAKE_MONOTONIC": "1",
}


def test_pods_with_clocks_ahead_take_orders_with_the_others(
    serve: Serve, size: Size, attempt: Try
) -> None:
    """Pods become such with clocks 5 minutes ahead, and such with right ones again."""
    shop = serve("skewed", replicas=2)
    with attempt("clock-skew") as it, shop.load(it) as load:
        env = [{"name": name, "value": value} for name, value in _SKEW.items()]
        for mark, spec in (
            ("pods with clocks 5 minutes ahead begin to come", {"image": FAULTY, "env": env}),
            ("pods with right clocks begin to come", {"image": IMAGE, "env": []}),
        ):
            before = shop.pods()
            it.mark(mark)
            shop.change(image=spec["image"], podTemplate={"env": spec["env"]})
            shop.rolled(before)
            it.mark("every pod is new")
            load.go_on(size.lead)
        ahead = shop.database.sql(
            "SELECT count(*) FROM orders WHERE created_at > now() + interval '4 minutes'"
        )
        it.at_least("orders by clocks ahead", int(ahead), 1, "orders")
        it.none("requests failed", load.stop().failed)


def test_a_slow_way_to_postgresql_costs_latency_only(
    serve: Serve, namespace: Namespace, postgresql: Server, size: Size, attempt: Try
) -> None:
    """With 200 ms to PostgreSQL no request fails, and all are answered by their deadline."""
    database, straight = postgresql.make()
    with delayed(namespace, postgresql, DELAY) as slow:
        name = straight.rpartition("/")[2]
        far = serve("far", (database, url(slow.host, name)), replicas=2)
        with attempt("network-delay") as it, far.load(it) as load:
            it.note(f"{DELAY} ms to PostgreSQL: {slow.how}.")
            load.go_on(size.away)
            report = load.stop()
            it.none("requests failed", report.failed)
            it.at_least("p50", 1000 * report.latency.p50, DELAY, "ms")
            it.at_most("the longest", report.latency.max, DEADLINE, "s")
