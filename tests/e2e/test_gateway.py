"""An HTTPRoute, in a cluster without the Gateway API and with it."""

from tests.helpers.cluster import gateway_crds
from tests.helpers.cluster.kubectl import Namespace, order_service

DEGRADED = "jsonpath={.status.conditions[?(@.type=='Degraded')].%s}=%s"
ROUTE = {"httpRoute": {"parentRefs": [{"name": "gateway"}], "hostnames": ["shop.example.com"]}}


def test_without_the_gateway_api_it_says_so(namespace: Namespace) -> None:
    """CRDMissing within 20 s: callers cannot come in, and all else is made."""
    namespace.apply(order_service("routed", replicas=0, expose=ROUTE))
    namespace.wait("orderservice/routed", DEGRADED % ("reason", "CRDMissing"), 20)

    assert namespace.exists("service", "routed")


def test_the_route_is_made_when_the_api_appears(namespace: Namespace) -> None:
    """Within 60 s of the CRD there is the route; it changes, is repaired and goes in 15 s each."""
    gateway_crds.install()
    namespace.wait("httproute/routed", "create", 60)
    namespace.wait("orderservice/routed", DEGRADED % ("status", "False"), 15)
    [parent] = namespace.get("httproute", "routed")["spec"]["parentRefs"]
    assert "gateway" == parent["name"]
    url = namespace.get("orderservice", "routed")["status"]["url"]
    assert "http://shop.example.com" == url

    change = {"httpRoute": {"hostnames": ["tea.example.com"]}}
    namespace.patch("orderservice", "routed", {"spec": {"expose": change}})
    namespace.wait("httproute/routed", "jsonpath={.spec.hostnames[0]}=tea.example.com", 15)
    namespace.patch("httproute", "routed", {"spec": {"hostnames": ["evil.example.com"]}})
    namespace.wait("httproute/routed", "jsonpath={.spec.hostnames[0]}=tea.example.com", 15)
    namespace.kubectl("delete", "httproute", "routed")
    namespace.wait("httproute/routed", "create", 15)

    namespace.patch("orderservice", "routed", {"spec": {"expose": None}})
    namespace.wait("httproute/routed", "delete", 15)


def test_a_gateway_splits_the_requests_of_a_canary(namespace: Namespace) -> None:
    """By the weight of the step, once the canary's pods serve; and not at all after it."""
    steps = [{"weight": 10, "duration": "1s"}, {"weight": 40, "duration": "1h"}]
    rollout = {
        "strategy": "Canary",
        "canary": {"steps": steps, "analysis": {"interval": "5s", "minRequests": 0}},
    }
    namespace.apply(order_service("split", expose=ROUTE, rollout=rollout))
    namespace.rolled_out("split", 90)
    assert [("split-stable", 100), ("split-canary", 0)] == backends(namespace)

    change = {"podTemplate": {"env": [{"name": "REQUEST_TIMEOUT", "value": "6s"}]}}
    namespace.patch("orderservice", "split", {"spec": change})
    weight = "jsonpath={.spec.rules[0].backendRefs[1].weight}"
    namespace.wait("httproute/split", f"{weight}=10", 60)
    [canary] = namespace.every("endpointslices", "kubernetes.io/service-name=split-canary")
    assert [True] == [it["conditions"]["ready"] for it in canary["endpoints"]]
    namespace.wait("httproute/split", f"{weight}=40", 60)

    revision = namespace.rollout("split")["revision"]
    namespace.annotate("split", promote=revision)
    namespace.rolled_out("split", 90)
    assert [("split-stable", 100), ("split-canary", 0)] == backends(namespace)
    namespace.kubectl("delete", "orderservice", "split")


def backends(namespace: Namespace) -> list[tuple[str, int]]:
    """Return the Services that the route leads to, and their weights."""
    [rule] = namespace.get("httproute", "split")["spec"]["rules"]
    return [(it["name"], it["weight"]) for it in rule["backendRefs"]]
