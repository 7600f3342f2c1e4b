"""Addresses that no cluster's own domain is part of: it is not cluster.local everywhere."""

from base64 import b64decode
from typing import Final
from urllib.parse import urlsplit

import pytest

from orders_operator.resources.expose import url
from tests.helpers.operator.specs import children, service
from tests.helpers.paths import ROOT

DELIVERED: Final = ("charts/orders", "k8s", "operator/orders_operator", "service/orders")


@pytest.mark.parametrize("folder", DELIVERED)
def test_nothing_names_the_domain_of_a_cluster(folder: str) -> None:
    """Each name of a Service is one that a pod's own DNS completes."""
    files = [it for it in (ROOT / folder).rglob("*") if it.suffix in {".py", ".yaml", ".tpl"}]
    named = [it for it in files if "cluster.local" in it.read_text(encoding="utf-8")]
    assert 1 <= len(files)
    assert [] == named


def test_a_database_is_found_in_its_namespace() -> None:
    """The host of an embedded database's URL is the name of its Service alone."""
    data = children(service())["Secret", "shop-postgresql"]["data"]
    assert "shop-postgresql" == urlsplit(b64decode(data["url"]).decode()).hostname


def test_callers_are_told_a_name_without_a_domain() -> None:
    """The URL in the status has Service and namespace."""
    assert "http://shop.ns.svc" == url(service().spec, "ns", "shop")
