"""What pods read, by their template; what of it is missing; and what rolls them."""

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_operator.objects import Object
from orders_operator.resources.config_copy import (
    config_copy,
    copy_name,
    copy_of,
    reads_copy,
    reads_originals,
)
from orders_operator.resources.content import content_hash, missing, text, value
from orders_operator.resources.network import database_ports
from orders_operator.resources.pod import template
from orders_operator.resources.references import (
    CONFIG_MAPS,
    SECRETS,
    Needed,
    Reference,
    collector_port,
    database,
    named,
)
from tests.helpers.operator.specs import service

ENV = [
    {"name": "A", "value": "1"},
    {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    {"name": "C", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    {"name": "D", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k", "optional": True}}},
    {"name": "E", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
]
TRACING = {"endpoint": "http://c:4318", "headersSecretRef": {"name": "h"}}
URL = Needed(Reference(SECRETS, "db"), "url")


def pods(**fields: Any) -> Object:
    """Return the pod template of a spec."""
    return template(service(**fields))


def names(**fields: Any) -> list[tuple[str, str, str]]:
    """Return what pods read: plural, name and key."""
    return [(it.reference.plural, it.reference.name, it.key) for it in named(pods(**fields))]


def encoded(**data: str) -> Object:
    """Return a Secret with this data."""
    return {"data": {key: b64encode(value.encode()).decode() for key, value in data.items()}}


def test_each_kind_of_database() -> None:
    """A Secret by name, CloudNativePG's, or the operator's own."""
    assert [("secrets", "db", "url")] == names(database={"secretRef": {"name": "db"}})
    assert [("secrets", "pg-app", "uri")] == names(database={"cluster": "pg"})
    assert [("secrets", "shop-postgresql", "url")] == names(database={"embedded": {}})
    found = database(pods(database={"cluster": "pg"}))
    assert found is not None
    assert "pg-app" == found.reference.name


def test_headers_and_environment() -> None:
    """Headers of the collector and variables of the pods are named too, each once."""
    assert [
        ("secrets", "shop-postgresql", "url"),
        ("secrets", "h", "headers"),
        ("secrets", "s", "k"),
        ("configmaps", "m", "k"),
    ] == names(tracing=TRACING, podTemplate={"env": ENV})
    assert 1 == len(names(tracing=TRACING | {"enabled": False}))


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [("http://c:4318", 4318), ("https://c", 443), ("http://c/x", 80)],
)
def test_the_port_of_the_collector(endpoint: str, port: int) -> None:
    """It is told by the pods' own variable; without tracing there is none."""
    assert port == collector_port(pods(tracing={"endpoint": endpoint}))
    assert collector_port(pods()) is None


def test_what_is_missing_is_named() -> None:
    """An object, or a key of it; an optional one may be missing."""
    needed = named(pods(database={"secretRef": {"name": "db"}}, podTemplate={"env": ENV[3:]}))

    assert ("Secret db does not exist",) == missing(needed, {})
    assert ("Secret db has no key url",) == missing(needed, {URL.reference: encoded(uri="x")})
    assert () == missing(needed, {URL.reference: encoded(url="x")})


def test_a_key_that_variables_cannot_read_is_missing() -> None:
    """A variable comes from a ConfigMap's `data`, never from its `binaryData`."""
    need = Needed(Reference(CONFIG_MAPS, "m"), "k")
    live = {need.reference: {"binaryData": {"k": "eA=="}}}
    assert ("ConfigMap m has no key k",) == missing([need], live)


def test_only_keys_that_pods_read_count() -> None:
    """A changed value rolls the pods; a label does not, nor another key, nor the order."""

    def hashed(secret: Object | None) -> str:
        return content_hash({URL: value(URL, {URL.reference: secret})})

    first = hashed(encoded(url="1"))
    assert first == hashed(encoded(url="1", other="2") | {"metadata": {"labels": {"x": "y"}}})
    assert first != hashed(encoded(url="2"))
    assert first != hashed(None)


def test_the_hash_of_content_is_the_same_in_every_release() -> None:
    """Golden: another value here would roll the pods of everybody who upgrades the operator."""
    plain = Needed(Reference(CONFIG_MAPS, "m"), "k")
    assert "0952062a05d39ff2" == content_hash({plain: "v", URL: "cG9zdGdyZXM="})


def test_a_copy_is_read_instead_of_the_originals_and_back() -> None:
    """Each key of each ConfigMap has a place of its own in the copy; the way back is exact."""
    env = [
        {"name": it, "valueFrom": {"configMapKeyRef": {"name": name, "key": key}}}
        for it, name, key in (("A", "m", "x_y"), ("B", "m.n", "x_y"), ("C", "m", "x"))
    ]
    original = pods(podTemplate={"env": env})
    copy = copy_name("shop", "0123456789", {"m_x": "1"})
    pointed = reads_copy(original, copy)
    found = [it for it in named(pointed) if it.reference.plural == CONFIG_MAPS]

    assert [(copy, "m_x_y"), (copy, "m.n_x_y")] == [
        (it.reference.name, it.key) for it in found[:2]
    ]
    assert original == reads_originals(pointed, copy)
    assert pointed == reads_copy(pointed, copy)
    assert (copy, "") == (
        copy_of(pointed, "shop", "0123456789"),
        copy_of(original, "shop", "0123456789"),
    )


def test_a_copy_never_changes() -> None:
    """Other content has another name, and the API server refuses to change what is there."""
    first, second = ({"m_x": it} for it in "12")
    name = copy_name("shop", "0123456789", first)
    made = config_copy(service(), name, first)
    assert name != copy_name("shop", "0123456789", second)
    assert (name, True, first) == (made["metadata"]["name"], made["immutable"], made["data"])


@pytest.mark.parametrize(
    ("url", "ports"),
    [
        ("postgresql://u:p@host/db", (5432,)),
        ("postgresql://u:p@host:6432/db", (6432,)),
        ("postgresql://u:p%40@a:1111,b:2222/db", (1111, 2222)),
        ("postgresql://a:1111,b/db", (1111, 5432)),
        ("postgresql://a,b/db?port=7777", (7777,)),
        ("postgresql://[::1]:6000/db", (6000,)),
        ("postgresql://[::1]/db", (5432,)),
        ("postgresql:///db?host=h&port=1", (1,)),
        ("postgresql://host:0/db", (5432,)),
        ("not a url", (5432,)),
    ],
)
def test_ports_of_a_database(url: str, ports: tuple[int, ...]) -> None:
    """The NetworkPolicy opens the ports of every host of the URL."""
    assert ports == database_ports(url)


@given(st.text())
def test_no_url_breaks_anything(url: str) -> None:
    """Whatever a Secret holds, there is a port to open."""
    assert database_ports(url)


def test_a_value_is_text_or_nothing() -> None:
    """What is not there, not base64 or not text is no value."""

    def read(secret: Object | None) -> str | None:
        return text(URL, {URL.reference: secret})

    assert "x" == read(encoded(url="x\n"))
    assert read(encoded(uri="x")) is None
    assert read(None) is None
    assert read({"data": {"url": "?"}}) is None
    assert read({"data": {"url": "//4="}}) is None
