"""Every NetworkPolicy of an OrderService, by packets: what must pass passes, nothing else does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import pytest

from orders_operator.objects import Object
from orders_operator.resources.labels import API, CANARY, COMPONENT, INSTANCE, STABLE, TRACK
from orders_operator.resources.pod import SERVICE
from orders_operator.resources.postgres import CONTAINER
from tests.helpers.cluster.kubectl import Namespace, order_service
from tests.helpers.cluster.packets import Place, at, listening, place, reach_only, resolves
from tests.helpers.cluster.peer_pods import (
    COLLECTOR,
    DATABASE,
    FRIENDS,
    HTTP,
    METRICS,
    NAME,
    OTHER,
    PORTS,
    PROMETHEUS,
    Peers,
    api_server,
    dns,
    unguarded,
)

GUARDED: Final = "guarded"
KEPT: Final = "kept"


class Guarded(NamedTuple):
    """The pods of an OrderService in the middle of a canary."""

    stable: Place
    canary: Place


@pytest.fixture(scope="module")
def peers(namespace: Namespace) -> Iterator[Peers]:
    """Run pods that no policy guards."""
    with unguarded(namespace) as made:
        yield made


@pytest.fixture(scope="module")
def guarded(namespace: Namespace) -> Guarded:
    """Have an OrderService that sends spans stay in the middle of a canary."""
    steps = [{"weight": 50, "duration": "1h"}]
    namespace.apply(
        order_service(
            GUARDED,
            tracing={"endpoint": f"http://collector:{COLLECTOR}"},
            rollout={"strategy": "Canary", "canary": {"steps": steps}},
        )
    )
    namespace.wait(f"orderservice/{GUARDED}", "condition=Ready", 90)
    change = {"podTemplate": {"env": [{"name": "REQUEST_TIMEOUT", "value": "6s"}]}}
    namespace.patch("orderservice", GUARDED, {"spec": change})
    namespace.wait(f"deployment/{GUARDED}-{CANARY}", "create", 30)
    namespace.wait(f"deployment/{GUARDED}-{CANARY}", "condition=Available", 90)
    return Guarded(*(_of_track(namespace, track) for track in (STABLE, CANARY)))


def _of_track(namespace: Namespace, track: str) -> Place:
    [pod] = namespace.every("pods", f"{INSTANCE}={GUARDED},{COMPONENT}={API},{TRACK}={track}")
    return place(namespace, pod, SERVICE)


@contextmanager
def policy(namespace: Namespace, **rules: list[Object]) -> Iterator[None]:
    """Have `guarded` say `networkPolicy.from` or `.to` for a while."""
    change: Object = {"networkPolicy": rules}
    namespace.patch("orderservice", GUARDED, {"spec": change})
    try:
        yield
    finally:
        namespace.patch("orderservice", GUARDED, {"spec": {"networkPolicy": None}})


def test_without_a_policy_everything_passes(peers: Peers) -> None:
    """What is refused below is there to be reached."""
    reach_only(peers, at(peers, *PORTS) | {api_server(), dns()}, set())
    assert all(resolves(it, NAME) for it in peers)


def test_everybody_reaches_the_api_and_the_metrics(peers: Peers, guarded: Guarded) -> None:
    """And no other port of the service's pods, of both tracks, whatever listens there."""
    stable, canary = guarded
    with listening(stable, OTHER) as one, listening(canary, OTHER) as two:
        reach_only(peers, at(guarded, HTTP, METRICS), {one, two})


def test_only_those_that_the_spec_names_reach_the_api(
    namespace: Namespace, peers: Peers, guarded: Guarded
) -> None:
    """With `networkPolicy.from`, of both tracks; metrics stay open to everybody."""
    friend, stranger, outsider = peers
    api, metrics = at(guarded, HTTP), at(guarded, METRICS)
    with policy(namespace, **{"from": [FRIENDS]}):
        reach_only([friend], api | metrics, set())
        reach_only([stranger, outsider], metrics, api)

    labels = {"kubernetes.io/metadata.name": outsider.namespace.name}
    with policy(namespace, **{"from": [{"namespaceSelector": {"matchLabels": labels}}]}):
        reach_only([outsider], api | metrics, set())
        reach_only([friend, stranger], metrics, api)
    reach_only(peers, api | metrics, set())


def test_pods_reach_databases_and_the_collector(peers: Peers, guarded: Guarded) -> None:
    """By the ports of their URLs, wherever those are, and DNS; not the API server, nor others."""
    reach_only(
        guarded,
        at(peers, DATABASE, COLLECTOR) | {dns()},
        at(peers, HTTP, METRICS, PROMETHEUS, OTHER) | {api_server()},
    )
    assert all(resolves(it, NAME) for it in guarded)


def test_pods_reach_what_the_spec_adds(
    namespace: Namespace, peers: Peers, guarded: Guarded
) -> None:
    """With `networkPolicy.to`, those peers and ports alone; what else may pass still does."""
    friend, stranger, outsider = peers
    rule = {"to": [FRIENDS], "ports": [{"port": OTHER, "protocol": "TCP"}]}
    usual = at(peers, DATABASE, COLLECTOR)
    with policy(namespace, to=[rule]):
        refused = at([stranger, outsider], OTHER) | at(peers, PROMETHEUS)
        reach_only(guarded, usual | at([friend], OTHER), refused)
    reach_only(guarded, usual, at(peers, OTHER))


def test_an_embedded_database_is_its_services_alone(
    namespace: Namespace, peers: Peers, guarded: Guarded
) -> None:
    """Its own pods reach it, and no other database; another's do not, and it reaches nobody."""
    namespace.apply(order_service(KEPT, database={"embedded": {}}))
    namespace.wait(f"orderservice/{KEPT}", "condition=Ready", 120)
    [own] = namespace.pods(KEPT)
    owner = place(namespace, own, SERVICE)
    found = namespace.get("pod", f"{KEPT}-postgresql-0")
    database = place(namespace, found, CONTAINER, perl=True)

    mine = at([database], DATABASE)
    with listening(database, OTHER) as other:
        reach_only([owner], mine, at(peers, DATABASE, COLLECTOR) | {other})
        reach_only([*guarded, *peers], at(peers, DATABASE), mine | {other})
    reach_only([database], set(), at(peers, *PORTS) | at([owner], HTTP, METRICS) | {dns()})
    namespace.kubectl("delete", "orderservice", KEPT)
