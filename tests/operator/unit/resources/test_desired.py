"""What an OrderService gives: properties of every child, whatever is declared."""

from typing import Any

import kubernetes_validate
import pytest
from hypothesis import given, settings

from orders_operator.api.spec import OrderService
from orders_operator.objects import Object
from orders_operator.resources.kinds import HTTP_ROUTE, KINDS, SERVICE_MONITOR
from orders_operator.resources.network import Egress, open_ports
from tests.helpers.operator.specs import (
    EVERY_API,
    PASSWORD,
    children,
    desired,
    kinds,
    service,
    services,
)

OPTIONAL = {SERVICE_MONITOR.kind, HTTP_ROUTE.kind}
OLDEST = "1.33"
NEWEST = kubernetes_validate.latest_version()


@given(services)
def test_the_same_resource_gives_the_same_objects(declared: OrderService) -> None:
    """Nothing of the clock, of chance or of an earlier call is in them."""
    assert desired(declared) == desired(declared)


@given(services)
def test_every_child_says_whose_it_is(declared: OrderService) -> None:
    """Each has the recommended labels, its namespace and one controlling owner."""
    owner = {
        "apiVersion": "orders.dev/v1alpha1",
        "kind": "OrderService",
        "name": "shop",
        "uid": "u-1",
        "controller": True,
        "blockOwnerDeletion": False,
    }
    for child in desired(declared):
        metadata = child["metadata"]
        component = "database" if metadata["name"].startswith("shop-postgresql") else "api"
        assert {
            "app.kubernetes.io/name": "orders",
            "app.kubernetes.io/instance": "shop",
            "app.kubernetes.io/component": component,
            "app.kubernetes.io/part-of": "orders",
            "app.kubernetes.io/managed-by": "orders-operator",
        }.items() <= metadata["labels"].items()
        assert "ns" == metadata["namespace"]
        assert [owner] == metadata["ownerReferences"]


@given(services)
def test_every_child_is_of_a_kind_that_is_pruned(declared: OrderService) -> None:
    """No two have one kind and name, and each kind is one that the reconcile looks for."""
    found = desired(declared)

    assert len(found) == len(children(declared))
    assert set() == {(it["apiVersion"], it["kind"]) for it in found} - {
        (kind.api_version, kind.kind) for kind in KINDS
    }


@given(services)
def test_every_selector_finds_its_pods_and_no_others(declared: OrderService) -> None:
    """Deployment, StatefulSet, Services, budget and policies select by the template's labels."""
    found = children(declared)
    for kind, name in found:
        spec = found[kind, name].get("spec", {})
        database = name.endswith("-postgresql")
        mine, other = ("shop-postgresql", "shop") if database else ("shop", "shop-postgresql")
        if name == "shop-canary":
            mine = name if ("Deployment", name) in found else ""
        if not mine:
            continue  # the canary's Service, while there is none
        selected = spec.get("selector") or spec.get("podSelector")
        if kind in OPTIONAL or not selected:
            continue
        selector = selected.get("matchLabels", selected)
        assert selector.items() <= _pod_labels(found, mine).items()
        assert not selector.items() <= _pod_labels(found, other).items()


@settings(max_examples=25)
@given(services)
def test_the_api_server_would_take_every_child(declared: OrderService) -> None:
    """Each is valid for the oldest and the newest Kubernetes, with no field that is unknown."""
    for child in desired(declared):
        if child["kind"] not in OPTIONAL:
            for version in (OLDEST, NEWEST):
                kubernetes_validate.validate(child, version, strict=True)


@given(services)
def test_no_password_is_in_any_child_but_the_secret(declared: OrderService) -> None:
    """A password of the operator's making is in its Secret alone."""
    for child in desired(declared):
        if child["kind"] != "Secret":
            assert PASSWORD not in str(child)


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ({"autoscaling": {"max": 3}}, "HorizontalPodAutoscaler"),
        ({"expose": {"ingress": {"host": "a.example"}}}, "Ingress"),
        ({"expose": {"httpRoute": {"parentRefs": [{"name": "g"}]}}}, "HTTPRoute"),
    ],
)
def test_a_block_gives_a_child(spec: dict[str, Any], kind: str) -> None:
    """With the block there is the child; without it there is none."""
    assert {kind} == kinds(service(**spec)) - kinds(service())


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        ("monitoring", "ServiceMonitor"),
        ("networkPolicy", "NetworkPolicy"),
        ("disruptionBudget", "PodDisruptionBudget"),
    ],
)
def test_what_is_on_by_default_can_be_turned_off(block: str, kind: str) -> None:
    """`enabled: false` takes the child away, and no other."""
    assert {kind} == kinds(service()) - kinds(service(**{block: {"enabled": False}}))


@pytest.mark.parametrize(("replicas", "budgets"), [(0, 0), (1, 0), (2, 1)])
def test_a_budget_needs_a_second_pod(replicas: int, budgets: int) -> None:
    """A budget for one pod would keep its node from being drained."""
    found = kinds(service(replicas=replicas))
    assert budgets == len(found & {"PodDisruptionBudget"})
    scaled = service(replicas=9, autoscaling={"min": 1, "max": max(1, replicas)})
    assert budgets == len(kinds(scaled) & {"PodDisruptionBudget"})


def test_what_the_cluster_does_not_serve_is_not_desired() -> None:
    """Without the APIs there is neither a ServiceMonitor nor an HTTPRoute."""
    declared = service(expose={"httpRoute": {"parentRefs": [{"name": "g"}]}})
    assert OPTIONAL == kinds(declared) - kinds(declared, apis=frozenset())
    assert len(EVERY_API) == len(OPTIONAL)


def test_replicas_are_left_to_the_autoscaler() -> None:
    """With one, the Deployment says nothing about them."""
    by_hand = children(service(replicas=3))["Deployment", "shop"]
    scaled = children(service(replicas=3, autoscaling={"max": 5}))["Deployment", "shop"]

    assert 3 == by_hand["spec"]["replicas"]
    assert "replicas" not in scaled["spec"]


def test_the_policy_lets_out_what_the_service_needs() -> None:
    """DNS, the ports of the database, the collector's, and what the spec adds."""
    more = {"ports": [{"port": 9, "protocol": "TCP"}]}
    declared = service(
        database={"cluster": "pg"},
        tracing={"endpoint": "http://collector:4318"},
        networkPolicy={"to": [more], "from": [{"namespaceSelector": {}}]},
    )
    out = Egress((4318, 5432, 6432))
    spec = children(declared, egress=out)["NetworkPolicy", "shop"]["spec"]

    ports = [port["port"] for rule in spec["egress"] for port in rule["ports"]]
    assert [53, 53, 4318, 5432, 6432, 9] == ports
    assert {4318, 5432, 6432, 9} == open_ports({"spec": spec})
    api, metrics = spec["ingress"]
    assert ([{"namespaceSelector": {}}], [8000]) == (
        api["from"],
        [port["port"] for port in api["ports"]],
    )
    assert [2121] == [port["port"] for port in metrics["ports"]]
    assert "from" not in metrics


def test_how_pods_are_replaced_is_as_declared() -> None:
    """Of both tracks; and by default it is what it always was, so that nothing is written anew."""
    plain = children(service())["Deployment", "shop"]["spec"]
    assert {"maxUnavailable": 0, "maxSurge": 1} == plain["strategy"]["rollingUpdate"]
    assert (600, False) == (plain["progressDeadlineSeconds"], "minReadySeconds" in plain)
    update = {"maxSurge": "50%", "maxUnavailable": 2}
    declared = service(rollout={"minReadySeconds": 30, "rollingUpdate": update})
    found = children(declared)["Deployment", "shop"]["spec"]
    assert update == found["strategy"]["rollingUpdate"]
    assert (30, 630) == (found["minReadySeconds"], found["progressDeadlineSeconds"])
    assert plain["template"] == found["template"]


def _pod_labels(found: dict[tuple[str, str], Object], name: str) -> dict[str, str]:
    """Return the labels of the pods of a Deployment or StatefulSet; empty when there is none."""
    templates = [
        it["spec"]["template"]
        for (kind, its), it in found.items()
        if kind in {"Deployment", "StatefulSet"} and its == name
    ]
    return dict(templates[0]["metadata"]["labels"]) if templates else {}


def test_only_a_person_has_the_orders_deleted() -> None:
    """The claim of an embedded database outlives its StatefulSet, unless the spec says Delete."""

    def retention(**embedded: str) -> Object:
        declared = service(database={"embedded": embedded})
        found = children(declared)["StatefulSet", "shop-postgresql"]["spec"]
        kept: Object = found["persistentVolumeClaimRetentionPolicy"]
        return kept

    assert {"whenDeleted": "Retain", "whenScaled": "Retain"} == retention()
    assert {"whenDeleted": "Delete", "whenScaled": "Retain"} == retention(retention="Delete")
