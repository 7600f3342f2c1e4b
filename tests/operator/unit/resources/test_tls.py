"""`spec.tls`: the API over TLS, and everything that leads to it."""

from typing import Any

import pytest
from hypothesis import given

from orders_operator.api.spec import OrderService
from orders_operator.objects import Object
from orders_operator.resources.expose import url
from orders_operator.resources.pod import template
from orders_operator.resources.references import everything, named, scheme
from orders_operator.resources.schemes import Schemes, declared
from tests.helpers.operator.specs import children, pod, revision, service, services, variables

TLS: Object = {"secretRef": {"name": "shop-tls"}}
ROUTE: Object = {"httpRoute": {"parentRefs": [{"name": "g"}], "hostnames": ["a.example"]}}
BOTH = Schemes(frozenset({"http", "https"}), "https", "http", "https")


def ports(found: dict[tuple[str, str], Object], name: str = "shop") -> dict[str, tuple[Any, ...]]:
    """Return the ports of a Service, by name."""
    given = found["Service", name]["spec"]["ports"]
    return {it["name"]: (it["port"], it["targetPort"], it["appProtocol"]) for it in given}


def backends(found: dict[tuple[str, str], Object]) -> list[int]:
    """Return the ports to which the HTTPRoute leads."""
    [rule] = found["HTTPRoute", "shop"]["spec"]["rules"]
    return [it["port"] for it in rule["backendRefs"]]


def test_the_secret_is_mounted_as_it_is() -> None:
    """Whoever made it: its certificate, its key, and its authority if it has one."""
    declared_ = service(tls=TLS)
    [volume] = [it for it in pod(declared_)["spec"]["volumes"] if it["name"] == "tls"]
    assert {"secretName": "shop-tls", "defaultMode": 0o440} == volume["secret"]
    found = variables(declared_)
    assert ("/etc/orders/tls/tls.crt", "/etc/orders/tls/tls.key") == (
        found["TLS_CERT_FILE"],
        found["TLS_KEY_FILE"],
    )
    [container] = pod(declared_)["spec"]["containers"]
    assert "/etc/orders/tls" in [it["mountPath"] for it in container["volumeMounts"]]


def test_a_certificate_is_needed_and_rolls_nothing() -> None:
    """Pods cannot begin without it, and read a new one while they run; an authority may miss."""
    made = template(service(tls=TLS))
    needs = [(it.reference.name, it.key) for it in everything(made) if it not in named(made)]
    assert [("shop-tls", "tls.crt"), ("shop-tls", "tls.key")] == needs


def test_callers_come_by_port_443() -> None:
    """Service, Ingress and HTTPRoute lead there; inside the cluster the URL says so."""
    found = children(service(tls=TLS, expose={"ingress": {"host": "a.example"}}))
    assert {"https": (443, 8000, "https"), "metrics": (2121, 2121, "http")} == ports(found)
    [rule] = found["Ingress", "shop"]["spec"]["rules"]
    assert {"name": "https"} == rule["http"]["paths"][0]["backend"]["service"]["port"]
    assert [443] == backends(children(service(tls=TLS, expose=ROUTE)))
    assert "https://shop.ns.svc" == url(service(tls=TLS).spec, "ns", "shop")


def test_probes_and_metrics_stay_plain() -> None:
    """Kubelets and Prometheus need no certificate."""
    [container] = pod(service(tls=TLS))["spec"]["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        assert ("metrics", "HTTP") == (asked["port"], asked.get("scheme", "HTTP"))
    [endpoint] = children(service(tls=TLS))["ServiceMonitor", "shop"]["spec"]["endpoints"]
    assert ("metrics", "http") == (endpoint["port"], endpoint.get("scheme", "http"))


def test_while_pods_of_both_kinds_serve_each_port_leads_to_its_own() -> None:
    """By the names of the pods' ports, of which a pod has one; the route leads by track."""
    declared_ = service(tls=TLS, expose=ROUTE, rollout={"strategy": "Canary"})
    found = children(declared_, schemes=BOTH)
    expected = {"http": (80, "http", "http"), "https": (443, "orders-https", "https")}
    for name in ("shop-stable", "shop-canary"):
        assert expected == ports(found, name)
    assert expected.items() <= ports(found).items()
    assert [80, 443] == backends(found)


@given(services)
def test_a_pod_says_what_it_speaks(made: OrderService) -> None:
    """Its port has the name that Services tell pods apart by."""
    assert declared(made.spec) == scheme(template(made))


@pytest.mark.parametrize("container", [{}, {"name": "proxy", "ports": [{"name": "orders-https"}]}])
def test_a_sidecar_does_not_speak_for_a_pod(container: Object) -> None:
    """Only the service's own container does."""
    assert "http" == scheme({"spec": {"containers": [container]}})


def test_it_is_off_unless_it_is_declared() -> None:
    """No service of before rolls, and its Service keeps its port as it was."""
    assert {"http": (80, 8000, "http"), "metrics": (2121, 2121, "http")} == ports(
        children(service())
    )
    assert revision(service()).hash != revision(service(tls=TLS)).hash
