"""The control plane goes away: the service does not need it."""

from typing import Final

from chaos import nodes
from chaos.conftest import Try
from chaos.experiment import Experiment
from chaos.load import Load
from chaos.shop import Shop
from chaos.sizes import Size
from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import OPERATOR, Namespace, uids

RECONCILED: Final = 90
"""Seconds until the operator acts on a change again."""


def test_without_the_api_server_the_service_is_untouched(
    shop: Shop, size: Size, attempt: Try
) -> None:
    """No request fails and no pod is replaced; afterwards the operator works again."""
    before, restarts = shop.pods(), shop.restarts()
    with attempt("api-server-away") as it, shop.load(it) as load:
        it.mark("the API server is stopped")
        with nodes.api_server_away():
            it.mark("it does not answer")
            load.go_on(size.api_server_away)
            it.mark("it is started")
        it.mark("it answers")
        repaired(it, shop)
        untouched(it, shop, load, before, restarts)


def test_without_the_operator_the_service_is_untouched(
    installed: Namespace, shop: Shop, size: Size, attempt: Try
) -> None:
    """No request fails and no pod is replaced; afterwards the operator works again."""
    before, restarts = shop.pods(), shop.restarts()
    operator = f"deployment/{OPERATOR}"
    with attempt("operator-away") as it, shop.load(it) as load:
        it.mark("the operator is scaled to no pods")
        installed.kubectl("scale", operator, "--replicas=0")
        try:
            load.go_on(size.operator_away)
        finally:
            it.mark("it is scaled to two")
            installed.kubectl("scale", operator, "--replicas=2")
        repaired(it, shop)
        untouched(it, shop, load, before, restarts)


def repaired(it: Experiment, shop: Shop) -> None:
    """Delete a child, and expect that it is made again."""
    child = f"configmap/{shop.name}-config"
    shop.namespace.kubectl("delete", child)
    seconds = shop.namespace.wait(child, "create", RECONCILED)
    it.mark("the operator has repaired a child")
    it.at_most("until a child was repaired", seconds, RECONCILED, "s")


def untouched(it: Experiment, shop: Shop, load: Load, before: list[Object], restarts: int) -> None:
    """Expect the pods of before, without a restart, and that no request failed."""
    it.none("pods replaced", len(uids(before) - uids(shop.pods())))
    it.none("restarts of service pods", shop.restarts() - restarts)
    it.none("requests failed", load.stop().failed)
