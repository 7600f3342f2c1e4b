"""What others do to the objects of the operator, or beside it: no caller notices."""

from functools import partial
from typing import Final

from chaos.canary import VERDICT, reach, rollout, taken_over
from chaos.conftest import Serve, Try
from chaos.neighbours import pods_quota, webhook_away
from chaos.shop import Shop
from chaos.sizes import Size
from tests.helpers.cluster.kubectl import Namespace, uids
from tests.helpers.cluster.other_operator import reconciled, state
from tests.helpers.cluster.release import SECOND, logged, second_operator

_TOLD: Final = 60.0
"""Seconds until a condition shows the API server's message."""


def test_a_canary_outlives_a_webhook_that_is_away(serve: Serve, size: Size, attempt: Try) -> None:
    """It stays at its step while no Deployment can be written, says so, and then goes on."""
    shop = serve("hooked", replicas=3, rollout=rollout())
    before = shop.namespace.rollout(shop.name)["stable"]
    with attempt("webhook-away") as it, shop.load(it) as load:
        it.mark("another setting of the pods")
        shop.change(podTemplate={"env": [{"name": "QUEUE_LIMIT", "value": "4000"}]})
        reach(shop, "a canary that serves", lambda now: now.get("settledAt"), VERDICT)
        with webhook_away(shop.namespace, "deployments"):
            it.mark("the webhook of Deployments is away")
            shop.namespace.told(shop.name, "failed calling webhook", _TOLD)
            it.mark("Degraded says so")
            load.go_on(size.webhook_away)
            now = shop.namespace.rollout(shop.name)
            it.expect("failed", f"{now.get('failed')}", "None", met=now.get("failed") is None)
        it.mark("it is back")
        done = taken_over(it, shop, before)
        it.expect("revision", done["stable"], f"not {before}", met=done["stable"] != before)
        it.none("requests failed", load.stop().failed)


def test_a_rolling_update_waits_for_room_in_a_quota(shop: Shop, attempt: Try) -> None:
    """No pod of before goes until one of now is let in."""
    before = shop.pods()
    with attempt("quota") as it, shop.load(it) as load:
        with pods_quota(shop.namespace):
            it.mark("a quota without room for another pod")
            shop.change(podTemplate={"env": [{"name": "QUEUE_LIMIT", "value": "4097"}]})
            shop.namespace.told(shop.name, "exceeded quota: full", _TOLD)
            it.mark("Degraded says so")
            it.none("pods of before that went", len(uids(before) - uids(shop.pods())))
        it.mark("the quota is gone")
        shop.rolled(before)
        it.mark("every pod is new")
        it.none("requests failed", load.stop().failed)


def test_two_operators_do_not_fight(
    installed: Namespace, namespace: Namespace, shop: Shop, attempt: Try
) -> None:
    """A second one of the cluster does nothing; one of the namespace takes it over, whole."""
    with attempt("two-operators") as it, shop.load(it) as load:
        with second_operator(namespace):
            it.mark("a second operator of the cluster")
            changed(shop, "4098")
            it.mark("every pod is new, by the first one")
        with second_operator(namespace, f"operator.watchNamespaces={{{namespace.name}}}"):
            it.mark("a second operator, of this namespace")
            namespace.wait(f"deployment/{SECOND}-orders-operator", "condition=Available", 60)
            left = f"namespace {namespace.name} is left to"
            installed.until(partial(logged, installed, left), 60, "the first one leaves it")
            it.mark("the first one leaves it")
            changed(shop, "4099")
            it.mark("every pod is new, by the second one")
            after = state(namespace, shop.name)
        it.mark("the second one is gone")
        reconciled(namespace, shop.name)
        it.mark("the first one has repaired a child")
        now = state(namespace, shop.name)
        it.none("pods replaced by whom is left", len(after["pods"] - now["pods"]))
        it.none("templates changed", int(after["templates"] != now["templates"]))
        it.none("requests failed", load.stop().failed)


def changed(shop: Shop, value: str) -> None:
    """Have every pod replaced by one with another setting."""
    before = shop.pods()
    shop.change(podTemplate={"env": [{"name": "QUEUE_LIMIT", "value": value}]})
    shop.rolled(before)
