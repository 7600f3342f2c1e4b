"""What a spec names, what of it is missing, and what rolls the pods."""

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert

from orders_operator.api.spec import OrderService
from orders_operator.reconcile.index import Index, Reference
from orders_operator.reconcile.references import (
    CONFIG_MAPS,
    SECRETS,
    config_hash,
    database_ports,
    missing,
    needed,
    value,
)


def resource(**fields: Any) -> OrderService:
    """Return a resource whose spec has these fields."""
    spec = {"image": "a:1", "database": {"embedded": {}}} | fields
    metadata = {"name": "x", "namespace": "ns", "uid": "u", "generation": 1}
    return convert({"metadata": metadata, "spec": spec}, OrderService)


def names(**fields: Any) -> list[tuple[str, str, str | None]]:
    """Return what a spec names: plural, name and key."""
    found = needed(resource(**fields))
    return [(it.reference.plural, it.reference.name, it.key) for it in found]


def encoded(**data: str) -> dict[str, Any]:
    """Return a Secret with this data."""
    return {"data": {key: b64encode(text.encode()).decode() for key, text in data.items()}}


def test_each_kind_of_database() -> None:
    """A Secret by name, CloudNativePG's, or none that somebody else must make."""
    assert [("secrets", "db", "url")] == names(database={"secretRef": {"name": "db"}})
    assert [("secrets", "pg-app", "uri")] == names(database={"cluster": "pg"})
    assert [] == names(database={"embedded": {}})


def test_headers_and_environment() -> None:
    """Headers of the collector and variables of the pods are named too, each once."""
    tracing = {"endpoint": "http://c:4318", "headersSecretRef": {"name": "h"}}
    env = [
        {"name": "A", "value": "1"},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "C", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "D", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}},
        {"name": "E", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ]

    assert [
        ("secrets", "h", "headers"),
        ("secrets", "s", "k"),
        ("configmaps", "m", "k"),
    ] == names(tracing=tracing, podTemplate={"env": env})
    assert [] == names(tracing=tracing | {"enabled": False})


def test_what_is_missing_is_named() -> None:
    """An object, or a key of it; an optional one may be missing."""
    env = [
        {
            "name": "B",
            "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}},
        }
    ]
    wanted = needed(resource(database={"secretRef": {"name": "db"}}, podTemplate={"env": env}))
    database = Reference(SECRETS, "db")

    assert ("Secret db does not exist",) == missing(wanted, {})
    assert ("Secret db has no key url",) == missing(wanted, {database: encoded(uri="x")})
    assert () == missing(wanted, {database: encoded(url="x")})


def test_the_hash_is_of_data() -> None:
    """A changed value rolls the pods; a label does not, nor the order of keys."""
    db = Reference(SECRETS, "db")
    first = config_hash({db: encoded(a="1", b="2")})

    assert first == config_hash({db: encoded(b="2", a="1") | {"metadata": {"labels": {"x": "y"}}}})
    assert first != config_hash({db: encoded(a="1", b="3")})
    assert first != config_hash({Reference(CONFIG_MAPS, "db"): encoded(a="1", b="2")})
    assert first != config_hash({db: None})


@pytest.mark.parametrize(
    ("url", "ports"),
    [
        (None, (5432,)),
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
def test_ports_of_a_database(url: str | None, ports: tuple[int, ...]) -> None:
    """The NetworkPolicy opens the ports of every host of the URL."""
    assert ports == database_ports(url)


@given(st.text())
def test_no_url_breaks_anything(url: str) -> None:
    """Whatever a Secret holds, there is a port to open."""
    assert database_ports(url)


def test_a_value_is_text_or_nothing() -> None:
    """What is not there, not base64 or not text is no value."""
    assert "x" == value(encoded(url="x\n"), "url")
    assert value(encoded(url="x"), "uri") is None
    assert value(None, "url") is None
    assert value({"data": {"url": "?"}}, "url") is None
    assert value({"data": {"url": "//4="}}, "url") is None


def test_the_index_finds_who_names_what() -> None:
    """By namespace, and as of the last spec."""
    index = Index()
    secret, other = Reference(SECRETS, "s"), Reference(CONFIG_MAPS, "s")
    index.set(("a", "x"), [secret, other])
    index.set(("a", "y"), [secret])
    assert {("a", "x"), ("a", "y")} == index.namers("a", secret)
    assert frozenset() == index.namers("b", secret)

    index.set(("a", "x"), [other])
    index.drop(("a", "y"))
    assert frozenset() == index.namers("a", secret)
    assert {("a", "x")} == index.namers("a", other)

    index.drop(("a", "x"))
    assert not index._named
    assert not index._namers
