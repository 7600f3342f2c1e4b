"""More pods, fewer pods, and one node fewer: no caller notices."""

from chaos import nodes
from chaos.conftest import Try
from chaos.shop import Shop
from chaos.sizes import Size


def test_scaling_fails_no_request(shop: Shop, size: Size, attempt: Try) -> None:
    """Three pods become one, then four."""
    resource = f"orderservice/{shop.name}"
    try:
        with attempt("scaling") as it, shop.load(it) as load:
            for pods in (1, 4):
                it.mark(f"scaled to {pods}")
                shop.namespace.kubectl("scale", resource, f"--replicas={pods}")
                shop.scaled(pods)
                it.mark(f"{pods} serve")
                load.go_on(size.lead)
            load.reach(size.requests)
            it.none("requests failed", load.stop().failed)
    finally:
        shop.namespace.kubectl("scale", resource, "--replicas=3")
        shop.scaled(3)


def test_a_drained_node_fails_no_request(shop: Shop, size: Size, attempt: Try) -> None:
    """Every pod of one of two workers goes to the other, those of the operator as well."""
    [other] = [node for node in nodes.workers() if node != shop.node]
    assert other in {pod["spec"]["nodeName"] for pod in shop.pods()}
    with attempt("node-drain") as it, shop.load(it) as load:
        it.mark("kubectl drain")
        with nodes.drained(other):
            shop.ready()
            it.mark("the node is empty")
            nodes_used = {pod["spec"]["nodeName"] for pod in shop.pods()}
            it.none("pods of the service on it", int(other in nodes_used))
            load.reach(size.requests)
            it.none("requests failed", load.stop().failed)
