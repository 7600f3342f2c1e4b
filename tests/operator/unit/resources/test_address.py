"""The URL that the status tells."""

from typing import Any

import pytest

from orders_operator.objects import Object
from orders_operator.resources.expose import url
from tests.helpers.operator.specs import service


def route(*hostnames: str, **more: Any) -> Object:
    """Return a block that exposes by a route."""
    return {"httpRoute": {"parentRefs": [{"name": "g"}], "hostnames": list(hostnames), **more}}


@pytest.mark.parametrize(
    ("expose", "expected"),
    [
        ({}, "http://shop.ns.svc"),
        ({"ingress": {"host": "a.example"}}, "http://a.example"),
        (
            {"ingress": {"host": "a.example", "path": "/b/", "tlsSecretName": "t"}},
            "https://a.example/b",
        ),
        ({"ingress": {"host": "*.example"}}, "http://shop.ns.svc"),
        (route(), "http://shop.ns.svc"),
        (route("*.example", "a.example", path="/b"), "http://a.example/b"),
    ],
)
def test_the_url_is_one_that_can_be_called(expose: Object, expected: str) -> None:
    """Outside the cluster if it is exposed under a name of its own, else inside."""
    declared = service(expose=expose)
    assert expected == url(declared.spec, "ns", "shop")
