"""An HTTPRoute, in a cluster without the Gateway API and with it."""

from tests.e2e import gateway
from tests.e2e.cluster import Namespace, order_service

DEGRADED = "jsonpath={.status.conditions[?(@.type=='Degraded')].%s}=%s"
ROUTE = {"httpRoute": {"parentRefs": [{"name": "gateway"}], "hostnames": ["shop.example.com"]}}


def test_without_the_gateway_api_it_says_so(namespace: Namespace) -> None:
    """CRDMissing within 20 s: callers cannot come in, and all else is made."""
    namespace.apply(order_service("routed", replicas=0, expose=ROUTE))
    namespace.wait("orderservice/routed", DEGRADED % ("reason", "CRDMissing"), 20)

    assert namespace.exists("service", "routed")


def test_the_route_is_made_when_the_api_appears(namespace: Namespace) -> None:
    """Within 60 s of the CRD there is the route; it changes, is repaired and goes in 15 s each."""
    gateway.install()
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
