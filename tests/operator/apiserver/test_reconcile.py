"""From a declaration to pods that serve; drift, and objects that are in the way."""

import pytest

from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.errors import ErrorReason, KubeError
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World


async def test_a_declaration_becomes_a_service(world: World) -> None:
    """An OrderService that is declared has pods that serve, and says so."""
    await world.declare(replicas=2)
    await world.settle()
    assert [IMAGE, IMAGE] == await world.images()
    status = await world.status()
    assert (2, 2) == (status["replicas"], status["readyReplicas"])
    assert ("True", "Available") == await world.condition("Ready")
    assert ("True", "Migrated") == await world.condition("Migrated")
    assert "Stable" == (await world.rollout())["phase"]
    assert f"http://{NAME}.{world.namespace}.svc" == status["url"]
    assert 3 == status["schemaVersion"]
    assert status["image"].startswith("orders/service:1@sha256:")


async def test_what_is_done_is_not_done_again(world: World) -> None:
    """A pass that finds all as it should be writes nothing."""
    await world.declare()
    await world.settle()
    world.operator.kube.written()
    await world.reconcile()
    assert [] == world.operator.kube.written()


async def test_a_new_process_changes_nothing(world: World) -> None:
    """An operator that remembers nothing applies all again, which changes no object."""
    await world.declare(database={"embedded": {}})
    await world.settle()
    before = await world.versions()
    world.restart()
    await world.reconcile()
    assert before == await world.versions()


async def test_a_child_that_is_deleted_comes_back(world: World) -> None:
    """What somebody deletes is made again."""
    await world.declare()
    await world.settle()
    await world.delete("v1", "services", NAME)
    await world.settle()
    assert "ClusterIP" == (await world.get("v1", "services", NAME))["spec"]["type"]


async def test_a_child_that_is_changed_is_changed_back(world: World) -> None:
    """What somebody changes becomes what is declared."""
    await world.declare()
    await world.settle()
    where = world.url("apps/v1", "deployments", NAME)
    await world.kube.merge(where, {"spec": {"replicas": 5, "progressDeadlineSeconds": 7}})
    await world.settle()
    spec = (await world.deployment())["spec"]
    assert (1, 600) == (spec["replicas"], spec["progressDeadlineSeconds"])


async def test_a_child_whose_labels_are_gone_is_still_ours(world: World) -> None:
    """A child that no list finds is known by its name and its owner."""
    await world.declare()
    await world.settle()
    label = {"app.kubernetes.io/managed-by": None}
    where = world.url("v1", "services", NAME)
    await world.kube.merge(where, {"metadata": {"labels": label}})
    await world.settle()
    found = await world.get("v1", "services", NAME)
    assert "orders-operator" == found["metadata"]["labels"]["app.kubernetes.io/managed-by"]
    assert ("False", "AsExpected") == await world.condition("Degraded")


async def test_a_child_that_is_wanted_no_longer_goes(world: World) -> None:
    """What the spec switches off is deleted, and comes back when it is switched on."""
    await world.declare(replicas=2)
    await world.settle()
    policies = ("networking.k8s.io/v1", "networkpolicies")
    budgets = ("policy/v1", "poddisruptionbudgets")
    assert ({NAME}, {NAME}) == (await world.names(*policies), await world.names(*budgets))
    await world.change(networkPolicy={"enabled": False}, disruptionBudget={"enabled": False})
    await world.settle()
    assert (set(), set()) == (await world.names(*policies), await world.names(*budgets))
    await world.change(networkPolicy={"enabled": True})
    await world.settle()
    assert {NAME} == await world.names(*policies)


async def test_what_carries_our_labels_and_another_owner_stays(world: World) -> None:
    """An object that only looks like a child is nobody's to delete."""
    await world.declare()
    await world.settle()
    labels = {
        "app.kubernetes.io/instance": NAME,
        "app.kubernetes.io/managed-by": "orders-operator",
    }
    metadata = {"name": "other", "labels": labels}
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}
    await world.kube.create("configmaps", made, namespace=world.namespace)
    await world.settle()
    assert "other" in await world.names("v1", "configmaps")


async def test_an_object_of_somebody_else_is_left_alone(world: World) -> None:
    """A name that is taken is a condition, and is looked at again soon, until it is free."""
    port = {"ports": [{"port": 1}]}
    made = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME}, "spec": port}
    await world.kube.create("services", made, namespace=world.namespace)
    await world.declare()
    await world.settle()
    assert ("True", "NameConflict") == await world.condition("Degraded")
    assert f"Service {NAME}" in (await world.said("Degraded"))["message"]
    assert 1 == (await world.get("v1", "services", NAME))["spec"]["ports"][0]["port"]
    assert 30 == await world.reconcile()
    await world.delete("v1", "services", NAME)
    await world.settle()
    assert ("False", "AsExpected") == await world.condition("Degraded")


async def test_a_child_on_its_way_out_is_left_to_go(world: World) -> None:
    """One of an earlier OrderService of that name; it is made again when it is gone."""
    await world.declare()
    await world.settle()
    where = world.url("v1", "services", NAME)
    await world.kube.merge(where, {"metadata": {"finalizers": ["orders.test/wait"]}})
    await world.delete("v1", "services", NAME)
    await world.delete(API_VERSION, PLURAL, NAME)
    await world.declare()
    await world.reconcile()
    assert ("True", "NameConflict") == await world.condition("Degraded")
    assert "a deleted OrderService" in (await world.said("Degraded"))["message"]
    await world.kube.merge(where, {"metadata": {"finalizers": None}})
    await world.settle()
    assert ("True", "Available") == await world.condition("Ready")
    [owner] = (await world.deployment())["metadata"]["ownerReferences"]
    assert (await world.resource())["metadata"]["uid"] == owner["uid"]


async def test_what_is_refused_keeps_nothing_else_from_being_made(world: World) -> None:
    """One object that the API server refuses is a condition, and all others are made."""
    await world.quota(**{"count/poddisruptionbudgets.policy": "0"})
    await world.declare(replicas=2)
    await world.settle()
    assert ("True", "ApplyFailed") == await world.condition("Degraded")
    assert "exceeded quota" in (await world.said("Degraded"))["message"]
    assert [IMAGE, IMAGE] == await world.images()


async def test_pods_that_are_refused_are_told_of(world: World) -> None:
    """Pods that a quota does not let in are a condition, with the reason."""
    await world.quota(pods="0")
    await world.declare()
    await world.settle()
    assert ("True", "PodsRefused") == await world.condition("Degraded")
    assert "exceeded quota" in (await world.said("Degraded"))["message"]


async def test_a_deleted_service_takes_its_children_along(world: World) -> None:
    """Deleting the OrderService leaves nothing but what a person made."""
    await world.declare()
    await world.settle()
    await world.delete(API_VERSION, PLURAL, NAME)
    assert await world.reconcile() is None
    for _ in range(4):
        await world.sync()
    assert [] == await world.pods()
    assert set() == await world.names("apps/v1", "deployments")
    assert {"database"} == await world.names("v1", "secrets")
    assert frozenset() == world.operator.metrics.keys()


async def test_a_namespace_that_is_deleted_is_no_failure(world: World) -> None:
    """An API server that refuses new objects as the namespace goes ends the pass quietly."""
    await world.declare()
    await world.kube.request("DELETE", f"/api/v1/namespaces/{world.namespace}")
    assert await world.reconcile() is None


async def test_a_server_that_is_away_is_a_failure_that_is_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass that cannot reach the API server raises, for the queue to try again."""
    await world.declare()

    async def away(*_: object, **__: object) -> None:
        raise KubeError(ErrorReason.UNAVAILABLE, "away")

    monkeypatch.setattr(world.operator.kube, "request", away)
    with pytest.raises(KubeError):
        await world.reconcile()
    _, text = world.operator.metrics.expose("text/plain")
    assert b'orders_operator_reconciles_total{result="error"} 1.0' in text


async def test_an_autoscaler_decides_how_many_pods_there_are(world: World) -> None:
    """Replicas are the autoscaler's; its number stays afterwards, until `replicas` differs."""
    await world.declare(replicas=2)
    await world.settle()
    await world.change(autoscaling={"max": 5})
    await world.settle()
    assert {NAME} == await world.names("autoscaling/v2", "horizontalpodautoscalers")
    assert 2 == (await world.deployment())["spec"]["replicas"]
    await world.kube.merge(
        world.url("apps/v1", "deployments", f"{NAME}/scale"), {"spec": {"replicas": 4}}
    )
    await world.settle()
    assert 4 == len(await world.pods())
    assert {"replicas": 2} == (await world.status())["autoscaled"]
    await world.change(autoscaling=None)
    await world.settle()
    assert 4 == len(await world.pods())
    assert set() == await world.names("autoscaling/v2", "horizontalpodautoscalers")
    assert {"replicas": 2, "pods": 4} == (await world.status())["autoscaled"]
    assert {NAME} == await world.names("policy/v1", "poddisruptionbudgets")
    where = world.url("apps/v1", "deployments", NAME)
    await world.kube.merge(where, {"spec": {"replicas": 1}})
    world.restart()
    await world.settle()
    assert 4 == len(await world.pods())
    await world.change(replicas=3)
    await world.settle()
    assert 3 == len(await world.pods())
    await world.change(replicas=2)
    await world.settle()
    assert (2, False) == (len(await world.pods()), "autoscaled" in await world.status())


async def test_what_an_autoscaler_scales_begins_with_its_pods(world: World) -> None:
    """It looks every 15 s: until then a Deployment that is new, or made again, has as many."""
    scaling = {"min": 3, "max": 5}
    await world.declare(autoscaling=scaling, rollout={"strategy": "Canary"})
    await world.settle()
    assert 3 == len(await world.pods())
    scale = world.url("apps/v1", "deployments", f"{NAME}/scale")
    await world.kube.merge(scale, {"spec": {"replicas": 4}})
    await world.settle()
    assert 4 == len(await world.pods())
    await world.change(image=NEXT)
    await world.settle()
    assert [IMAGE] * 4 + [NEXT] == await world.images()

    await world.delete("apps/v1", "deployments", NAME)
    await world.settle()
    assert [IMAGE] * 4 + [NEXT] == await world.images()
    await world.kube.merge(scale, {"spec": {"replicas": 5}})
    world.restart()
    await world.settle()
    assert 5 == (await world.deployment())["spec"]["replicas"]


async def test_no_pods_is_well_too(world: World) -> None:
    """An OrderService that is scaled to none is ready, and keeps what was migrated."""
    await world.declare()
    await world.settle()
    await world.change(replicas=0)
    await world.settle()
    assert [] == await world.pods()
    assert ("True", "Available") == await world.condition("Ready")
    assert ("True", "Migrated") == await world.condition("Migrated")
