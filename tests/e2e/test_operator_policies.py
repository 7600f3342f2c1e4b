"""The NetworkPolicy of the operator, by packets: what must pass passes, nothing else does."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import pytest

from orders_operator.resources.labels import COMPONENT
from tests.helpers.cluster.kubectl import OPERATOR, Namespace, helm, is_staying
from tests.helpers.cluster.packets import (
    Place,
    at,
    listening,
    peer,
    place,
    reach_only,
    reached,
    resolves,
)
from tests.helpers.cluster.peer_pods import (
    COLLECTOR,
    DATABASE,
    FRIENDS,
    HTTP,
    METRICS,
    NAME,
    OTHER,
    PROMETHEUS,
    Peers,
    api_server,
    dns,
    unguarded,
)
from tests.helpers.cluster.release import RELEASE

pytestmark = pytest.mark.usefixtures("restored_release")

_CALM: Final[Mapping[str, object]] = {
    "operator.networkPolicy.from": [],
    "operator.networkPolicy.to": [],
    "operator.networkPolicy.prometheusPorts": [PROMETHEUS],
    "operator.tracing.endpoint": "",
}
"""The values as the chart has them."""


@pytest.fixture(scope="module")
def peers(namespace: Namespace) -> Iterator[Peers]:
    """Run pods that no policy guards."""
    with unguarded(namespace) as made:
        yield made


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


def test_the_operator_reaches_what_it_works_with(peers: Peers) -> None:
    """The API server, DNS, metrics of pods, a Prometheus at 9090; not databases, nor others."""
    operators = _operators()
    reach_only(
        operators,
        at(peers, METRICS, PROMETHEUS) | {api_server(), dns()},
        at(peers, HTTP, DATABASE, COLLECTOR, OTHER),
    )
    assert all(resolves(it, NAME) for it in operators)


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


def test_the_operators_policy_is_what_the_values_say(namespace: Namespace, peers: Peers) -> None:
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
            at(peers, METRICS, COLLECTOR) | at([friend], OTHER) | {api_server()},
            at(peers, PROMETHEUS, DATABASE) | at([stranger, outsider], OTHER),
        )
    operators = _operators()
    reach_only(peers, at(operators, METRICS), set())
    reach_only(operators, at(peers, PROMETHEUS), at(peers, COLLECTOR, OTHER))


def test_the_hook_works_where_nothing_is_let_out(peers: Peers) -> None:
    """An upgrade brings the CRD up to date in a namespace that refuses all that leaves it."""
    default = Namespace("default")
    bystander = peer(default, "bystander", OTHER)
    everywhere = {api_server()} | at(peers, OTHER)
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
