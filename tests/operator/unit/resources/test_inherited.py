"""What a spec declares of all of its pods and children is in all of them, and no more."""

from typing import Any, Final

from hypothesis import given

from orders_operator.api.spec import OrderService
from orders_operator.objects import Object
from tests.helpers.operator.specs import children, desired, service, services

METADATA: Final = {"labels": {"team": "shop"}, "annotations": {"owner": "shop@example.com"}}
SCHEDULING: Final[Object] = {
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "spot", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "imagePullSecrets": [{"name": "registry"}],
}


def templates(declared: OrderService) -> list[Object]:
    """Return the pod templates of both tracks and of the database."""
    found = [
        it["spec"]["template"] for it in desired(declared) if "template" in it.get("spec", ())
    ]
    assert 3 == len(found)
    return found


def full(**spec: Any) -> OrderService:
    """Return an OrderService that gives every kind of child."""
    return service(
        autoscaling={"max": 3},
        rollout={"strategy": "Canary"},
        expose={"httpRoute": {"parentRefs": [{"name": "gateway"}], "annotations": {"own": "1"}}},
        **spec,
    )


def test_every_child_and_every_pod_has_it() -> None:
    """Labels and annotations are beside those that a child has anyway."""
    declared = full(inheritedMetadata=METADATA)
    found = [it["metadata"] for it in (*desired(declared), *templates(declared))]

    for metadata in found:
        for field, common in METADATA.items():
            assert common.items() <= metadata[field].items()
    assert "1" == children(declared)["HTTPRoute", "shop"]["metadata"]["annotations"]["own"]


@given(services)
def test_it_takes_no_child_out_of_a_selector(declared: OrderService) -> None:
    """What the operator says of a child or a pod wins over what is inherited."""
    for child in desired(declared):
        pods = child.get("spec", {}).get("template", {"metadata": {"labels": {}}})
        for found in (child["metadata"]["labels"], pods["metadata"]["labels"]):
            assert found.get("app.kubernetes.io/name", "orders") == "orders"
            assert found.get("orders.dev/track") in {None, "stable", "canary"}


def test_what_is_declared_of_pods_wins() -> None:
    """A label of podTemplate replaces the inherited one in pods, and nowhere else."""
    declared = full(inheritedMetadata=METADATA, podTemplate={"labels": {"team": "pods"}})

    assert {"pods"} == {it["metadata"]["labels"]["team"] for it in templates(declared)}
    assert {"shop"} == {it["metadata"]["labels"]["team"] for it in desired(declared)}


def test_every_pod_is_scheduled_as_declared() -> None:
    """Node selector, tolerations, affinity, priority and pull secrets are in every pod's spec."""
    for template in templates(full(podTemplate=SCHEDULING)):
        assert template["spec"] == {**template["spec"], **SCHEDULING}


def test_the_claim_of_a_database_inherits_nothing() -> None:
    """Claim templates of a StatefulSet can never change."""
    with_more = full(inheritedMetadata=METADATA, podTemplate={"labels": {"tier": "data"}})
    name = ("StatefulSet", "shop-postgresql")
    before, after = (children(it)[name]["spec"] for it in (full(), with_more))

    for field in ("volumeClaimTemplates", "selector", "serviceName"):
        assert before[field] == after[field]


def test_variables_are_the_services_alone() -> None:
    """The database has none of the variables that are declared for the service."""
    declared = full(podTemplate={"env": [{"name": "TEAM", "value": "shop"}]})
    pod = children(declared)["StatefulSet", "shop-postgresql"]["spec"]["template"]["spec"]
    assert "TEAM" not in {it["name"] for it in pod["containers"][0]["env"]}
