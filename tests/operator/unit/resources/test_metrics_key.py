"""`monitoring.auth`: who is given the key of the metrics, what pods know, and how it changes."""

from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.auth import api_keys
from orders_operator.api.spec import OrderService
from orders_operator.objects import Object
from orders_operator.resources.declaration import complete, declaration
from orders_operator.resources.kinds import uses
from orders_operator.resources.metrics_key import metrics_secret, usable_key
from orders_operator.resources.references import everything, metrics_keys_of, named
from tests.helpers.operator.specs import (
    children,
    metrics_key,
    pod,
    revision,
    service,
    services,
    variables,
)

CLOSED = {"monitoring": {"auth": True}}
FRESH, OTHER = "orders_" + "a" * 43, "orders_" + "b" * 43


def secret(**values: str) -> Object:
    """Return a Secret as the API server has it."""
    return {"data": {name: b64encode(it.encode()).decode() for name, it in values.items()}}


def read(found: Object) -> dict[str, str]:
    """Return the values of a Secret."""
    return {name: b64decode(it).decode() for name, it in found["data"].items()}


def line(key: str, name: str = "metrics") -> str:
    """Return what the service has made of a key."""
    return api_keys.line(name, key, ["metrics:read"])


def test_the_service_takes_what_prometheus_is_given() -> None:
    """The Secret has a key, and the line by which the service knows it, for metrics alone."""
    found = read(metrics_secret(service(**CLOSED), FRESH, None))
    assert FRESH == found["key"]
    [(digest, caller)] = api_keys.read(found["keys"]).items()
    assert api_keys.digest(FRESH) == digest
    assert {"metrics:read"} == caller.scopes


def test_pods_are_given_hashes_alone() -> None:
    """The key itself is in no pod: they mount the lines, and read them again."""
    declared = service(**CLOSED)
    found = pod(declared)
    [mounted] = [it for it in found["spec"]["volumes"] if it["name"] == "metrics-keys"]
    assert [{"key": "keys", "path": "keys"}] == mounted["secret"]["items"]
    assert "shop-metrics" == mounted["secret"]["secretName"] == metrics_keys_of(found)
    assert "true" == variables(declared)["METRICS_AUTH"]
    assert "/etc/orders/metrics-keys/keys" == variables(declared)["METRICS_API_KEYS_FILE"]
    own = {it for it in everything(found) if it.reference.name == "shop-metrics"}
    assert own
    assert not own & set(named(found))


def test_prometheus_is_told_where_the_key_is() -> None:
    """The ServiceMonitor names it, and does not without one."""
    [endpoint] = children(service(**CLOSED))["ServiceMonitor", "shop"]["spec"]["endpoints"]
    assert {
        "type": "Bearer",
        "credentials": {"name": "shop-metrics", "key": "key"},
    } == endpoint["authorization"]
    [plain] = children(service())["ServiceMonitor", "shop"]["spec"]["endpoints"]
    assert {it: endpoint[it] for it in endpoint if it != "authorization"} == plain


def test_it_makes_another_revision_and_none_where_it_is_off() -> None:
    """A declaration that was kept before says the same as one that has it off."""
    kept = complete(declaration(service()))
    assert kept.pop("metricsAuth") is False
    assert revision(service(**CLOSED)).hash != revision(service()).hash
    assert uses(service(**CLOSED), "Secret", database=False)


@pytest.mark.parametrize(
    ("live", "key", "lines"),
    [
        (None, FRESH, [line(FRESH)]),
        (secret(key=OTHER, keys=line(OTHER)), OTHER, [line(OTHER)]),
        (secret(key=OTHER), OTHER, [line(OTHER)]),
        (secret(keys=line(OTHER)), FRESH, [line(FRESH), line(OTHER)]),
        (secret(key=FRESH, keys=line(OTHER, "next")), FRESH, [line(FRESH), line(OTHER, "next")]),
        (secret(key=f"{OTHER}\n", keys=line(OTHER)), OTHER, [line(OTHER)]),
        (secret(key="short", keys="short"), FRESH, [line(FRESH)]),
        (secret(key="a" * 31 + "\r\n" + "b" * 20), FRESH, [line(FRESH)]),
        (secret(keys=f"shop {line(OTHER)[8:-12]}orders:write"), FRESH, [line(FRESH)]),
        ({"data": {"key": "?", "keys": "/w=="}}, FRESH, [line(FRESH)]),
    ],
    ids=["new", "kept", "no line", "no key", "two lines", "with a newline", "short", "not a word",
         "another scope", "no text"],
)  # fmt: skip
def test_what_a_person_has_written_counts(live: Object | None, key: str, lines: list[str]) -> None:
    """A key stays, or is made where there is none; further lines stay if they are of metrics."""
    found = read(metrics_secret(service(**CLOSED), FRESH, live))
    assert {"key": key, "keys": "".join(f"{it}\n" for it in lines)} == found


@given(st.dictionaries(st.sampled_from(["key", "keys"]), st.text(max_size=100)))
def test_it_is_the_same_a_second_time(values: dict[str, str]) -> None:
    """Whatever was in it, the service can read what comes of it, and nothing changes then."""
    declared = service(**CLOSED)
    made = metrics_secret(declared, FRESH, secret(**values))
    assert made == metrics_secret(declared, OTHER, made)
    assert {frozenset({"metrics:read"})} == {
        caller.scopes for caller in api_keys.read(read(made)["keys"]).values()
    }
    key = usable_key(declared, made)
    assert key is not None
    assert api_keys.digest(key) in api_keys.read(read(made)["keys"])


@given(services)
def test_metrics_are_closed_as_declared(made: OrderService) -> None:
    """Pods, Secret and ServiceMonitor agree, with everything else that may be declared."""
    asked = made.spec.monitoring.auth
    assert asked == (metrics_keys_of(pod(made)) is not None)
    assert asked == (variables(made).get("METRICS_AUTH") == "true")
    found = children(made)
    assert asked == (("Secret", "shop-metrics") in found)
    if made.spec.monitoring.enabled:
        [endpoint] = found["ServiceMonitor", "shop"]["spec"]["endpoints"]
        assert asked == ("authorization" in endpoint)
    assert asked == (metrics_key(made) is not None)
