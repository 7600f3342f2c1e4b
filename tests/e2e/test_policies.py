"""Every NetworkPolicy of chart and operator, by packets: what must pass passes, nothing else does.

A port that is refused has somebody who listens there, and somebody else who reaches him.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple

import pytest

from orders_operator.resources.labels import API, CANARY, COMPONENT, INSTANCE, STABLE, TRACK
from orders_operator.resources.pod import SERVICE
from orders_operator.resources.postgres import CONTAINER
from tests.e2e.cluster import OPERATOR, Namespace, Object, helm, is_staying, order_service, run
from tests.e2e.packets import Place, at, listening, peer, place, reach_only, reached, resolves
from tests.e2e.release import RELEASE

HTTP: Final = 8000
METRICS: Final = 2121
DATABASE: Final = 5432
COLLECTOR: Final = 4318
PROMETHEUS: Final = 9090
OTHER: Final = 7777
"""A port of which no policy speaks."""
PORTS: Final = (HTTP, METRICS, DATABASE, COLLECTOR, PROMETHEUS, OTHER)
GUARDED: Final = "guarded"
KEPT: Final = "kept"
FRIENDS: Final = {"podSelector": {"matchLabels": {"caller": "yes"}}}
_NAME: Final = "kubernetes.default.svc"
_CALM: Final[Mapping[str, object]] = {
    "operator.networkPolicy.from": [],
    "operator.networkPolicy.to": [],
    "operator.networkPolicy.prometheusPorts": [PROMETHEUS],
    "operator.tracing.endpoint": "",
}
"""The values as the chart has them."""


class Peers(NamedTuple):
    """Pods without policies that listen on PORTS: one with the label of a caller, two without."""

    friend: Place
    stranger: Place
    outsider: Place
    """In another namespace."""


class Guarded(NamedTuple):
    """The pods of an OrderService in the middle of a canary."""

    stable: Place
    canary: Place


@pytest.fixture(scope="module")
def peers(namespace: Namespace) -> Iterator[Peers]:
    """Run them."""
    other = Namespace(f"{namespace.name}-{uuid.uuid4().hex[:4]}")
    run("kubectl", "create", "namespace", other.name)
    yield Peers(
        peer(namespace, "friend", *PORTS, caller="yes"),
        peer(namespace, "stranger", *PORTS),
        peer(other, "outsider", *PORTS),
    )
    run("kubectl", "delete", "namespace", other.name, "--wait=false")


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


@pytest.fixture(scope="module")
def api_server() -> str:
    """Return where the API server is, for pods."""
    return f"{Namespace('default').get('service', 'kubernetes')['spec']['clusterIP']}:443"


@pytest.fixture(scope="module")
def dns() -> str:
    """Return where DNS is, over TCP."""
    return f"{Namespace('kube-system').get('service', 'kube-dns')['spec']['clusterIP']}:53"


@contextmanager
def policy(namespace: Namespace, **rules: list[Object]) -> Iterator[None]:
    """Have `guarded` say `networkPolicy.from` or `.to` for a while."""
    change: Object = {"networkPolicy": rules}
    namespace.patch("orderservice", GUARDED, {"spec": change})
    try:
        yield
    finally:
        namespace.patch("orderservice", GUARDED, {"spec": {"networkPolicy": None}})


def test_without_a_policy_everything_passes(peers: Peers, api_server: str, dns: str) -> None:
    """What is refused below is there to be reached."""
    reach_only(peers, at(peers, *PORTS) | {api_server, dns}, set())
    assert all(resolves(it, _NAME) for it in peers)


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


def test_pods_reach_databases_and_the_collector(
    peers: Peers, guarded: Guarded, api_server: str, dns: str
) -> None:
    """By the ports of their URLs, wherever those are, and DNS; not the API server, nor others."""
    reach_only(
        guarded,
        at(peers, DATABASE, COLLECTOR) | {dns},
        at(peers, HTTP, METRICS, PROMETHEUS, OTHER) | {api_server},
    )
    assert all(resolves(it, _NAME) for it in guarded)


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
    namespace: Namespace, peers: Peers, guarded: Guarded, dns: str
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
    reach_only([database], set(), at(peers, *PORTS) | at([owner], HTTP, METRICS) | {dns})
    namespace.kubectl("delete", "orderservice", KEPT)


def _operators() -> list[Place]:
    """Return the replicas of the operator, once they are what the release says."""
    default = Namespace("default")
    default.kubectl("rollout", "status", f"deployment/{OPERATOR}", "--timeout=120s")
    staying = list(filter(is_staying, default.every("pods", f"{COMPONENT}=operator")))
    assert 2 == len(staying)
    return [place(default, it, "operator") for it in staying]


def test_the_operator_lets_in_scrapes_alone(peers: Peers) -> None:
    """Everybody reaches the metrics of each replica, and nothing else of it."""
    operators = _operators()
    one, two = operators
    with listening(one, OTHER) as first, listening(two, OTHER) as second:
        reach_only(peers, at(operators, METRICS), {first, second})


def test_the_operator_reaches_what_it_works_with(peers: Peers, api_server: str, dns: str) -> None:
    """The API server, DNS, metrics of pods, a Prometheus at 9090; not databases, nor others."""
    operators = _operators()
    reach_only(
        operators,
        at(peers, METRICS, PROMETHEUS) | {api_server, dns},
        at(peers, HTTP, DATABASE, COLLECTOR, OTHER),
    )
    assert all(resolves(it, _NAME) for it in operators)


@contextmanager
def values(**changed: object) -> Iterator[None]:
    """Upgrade the release to these values, which have `__` for a dot; back to _CALM afterwards."""
    try:
        _upgrade({f"operator.{name.replace('__', '.')}": it for name, it in changed.items()})
        yield
    finally:
        _upgrade(_CALM)
        _operators()


def _upgrade(wanted: Mapping[str, object]) -> None:
    given = [f"--set-json={name}={json.dumps(it)}" for name, it in wanted.items()]
    helm("upgrade", RELEASE, "charts/orders", "--reuse-values", *given)


def test_the_operators_policy_is_what_the_values_say(
    namespace: Namespace, peers: Peers, api_server: str
) -> None:
    """`from`, `to`, `prometheusPorts` and the collector's port open what they name, no more."""
    friend, stranger, outsider = peers
    scrapers = FRIENDS | {"namespaceSelector": {}}
    with values(
        networkPolicy__from=[scrapers],
        networkPolicy__to=[{"to": [scrapers], "ports": [{"port": OTHER, "protocol": "TCP"}]}],
        networkPolicy__prometheusPorts=[],
        tracing__endpoint=f"http://collector.{namespace.name}.svc:{COLLECTOR}",
    ):
        operators = _operators()
        reach_only([friend], at(operators, METRICS), set())
        reach_only([stranger, outsider], set(), at(operators, METRICS))
        reach_only(
            operators,
            at(peers, METRICS, COLLECTOR) | at([friend], OTHER) | {api_server},
            at(peers, PROMETHEUS, DATABASE) | at([stranger, outsider], OTHER),
        )
    operators = _operators()
    reach_only(peers, at(operators, METRICS), set())
    reach_only(operators, at(peers, PROMETHEUS), at(peers, COLLECTOR, OTHER))


def test_the_hook_works_where_nothing_is_let_out(peers: Peers, api_server: str) -> None:
    """An upgrade brings the CRD up to date in a namespace that refuses all that leaves it."""
    default = Namespace("default")
    bystander = peer(default, "bystander", OTHER)
    everywhere = {api_server} | at(peers, OTHER)
    reach_only([bystander], everywhere, set())
    default.apply(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "nothing-leaves"},
            "spec": {"podSelector": {}, "policyTypes": ["Egress"]},
        }
    )
    try:
        reach_only([bystander], set(), everywhere)
        helm("upgrade", RELEASE, "charts/orders", "--reuse-values")
        assert set() == reached(bystander, everywhere)
    finally:
        default.kubectl("delete", "networkpolicy", "nothing-leaves")
        default.kubectl("delete", "pod", "bystander")
