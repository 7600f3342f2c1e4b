"""`spec.auth`: what pods are given of it, what rolls them, and where they may go for it."""

from typing import Any

import pytest
from hypothesis import given
from msgspec import json

from orders_operator.api.decode import InvalidSpec
from orders_operator.api.spec import OrderService
from orders_operator.objects import Object
from orders_operator.resources.auth import (
    ClusterKeys,
    auth_config,
    auth_files,
    issuer_ports,
    kept_keys,
)
from orders_operator.resources.declaration import complete, declaration
from orders_operator.resources.pod import template
from orders_operator.resources.references import auth_config_of, everything, named
from tests.helpers.operator.specs import pod, revision, service, services, variables

KEYS: Object = {"apiKeysSecretRef": {"name": "callers"}}
JWT: Object = {
    "issuer": "https://login.example.com/shop",
    "audience": "orders",
    "scopesClaim": "roles",
    "subjects": [{"subject": "batch", "scopes": ["orders:read"]}],
}
CALLER: Object = {"namespace": "shop", "name": "checkout", "scopes": ["orders:write"]}
ALL: Object = {"jwt": [JWT], "serviceAccounts": [CALLER], **KEYS}
CLUSTER = ClusterKeys("https://kubernetes.default.svc", '{"keys":[{"kid":"1"}]}')


def files(cluster: ClusterKeys | None = CLUSTER, **auth: Any) -> dict[str, str]:
    """Return the files of an auth block."""
    declared = service(auth=auth).spec.auth
    assert declared is not None
    return auth_files(declared, cluster)


def issuers(**auth: Any) -> list[Object]:
    """Return the issuers as pods read them."""
    found: list[Object] = json.decode(files(**auth)["issuers.json"])
    return found


def test_issuers_are_as_they_are_declared() -> None:
    """Each with its own subjects; what is left out is left to the service."""
    expected = {
        "issuer": JWT["issuer"],
        "audience": "orders",
        "scopesClaim": "roles",
        "subjects": {"batch": ["orders:read"]},
    }
    assert [expected] == issuers(jwt=[JWT])
    other = {"issuer": "other", "audience": "b", "jwksURL": "https://keys.example.com"}
    assert [other] == issuers(jwt=[other])


def test_service_accounts_are_subjects_of_the_api_server() -> None:
    """By the names that Kubernetes gives them, with the API server's keys as a file."""
    [found] = issuers(serviceAccounts=[CALLER])
    assert {
        "issuer": "https://kubernetes.default.svc",
        "audience": "orders",
        "jwksFile": "/etc/orders/auth/cluster-jwks.json",
        "subjects": {"system:serviceaccount:shop:checkout": ["orders:write"]},
    } == found
    made = files(serviceAccounts=[CALLER])
    assert CLUSTER.jwks == made["cluster-jwks.json"]
    assert CLUSTER == kept_keys(made)
    assert kept_keys(files(jwt=[JWT])) is None


def test_who_may_call_is_read_again_and_rolls_nothing() -> None:
    """Issuers, subjects, ServiceAccounts and keys are in no revision, no hash and no copy."""
    other = {**ALL, "jwt": [{**JWT, "audience": "b", "subjects": []}], "serviceAccounts": []}
    assert pod(service(auth=ALL)) == pod(service(auth=other))
    assert revision(service(auth=ALL)).hash == revision(service(auth=other)).hash
    found = template(service(auth=ALL))
    assert set() == {"callers", "shop-auth"} & {need.reference.name for need in named(found)}
    assert "shop-auth" == auth_config_of(found)


def test_api_keys_are_needed_and_mounted_as_they_are() -> None:
    """Pods cannot begin without their Secret; which Secret it is makes a revision."""
    needs = [(it.reference.name, it.key) for it in everything(template(service(auth=KEYS)))]
    assert [("shop-postgresql", "url"), ("callers", "keys")] == needs
    [volume] = [
        it for it in pod(service(auth=KEYS))["spec"]["volumes"] if it["name"] == "api-keys"
    ]
    assert [{"key": "keys", "path": "keys"}] == volume["secret"]["items"]
    other = {"apiKeysSecretRef": {"name": "callers", "key": "b"}}
    assert revision(service(auth=KEYS)).hash != revision(service(auth=other)).hash


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (KEYS, {"AUTH_API_KEYS_FILE": "/etc/orders/api-keys/keys"}),
        ({"jwt": [JWT]}, {"AUTH_ISSUERS_FILE": "/etc/orders/auth/issuers.json"}),
        ({"serviceAccounts": [CALLER]}, {"AUTH_ISSUERS_FILE": "/etc/orders/auth/issuers.json"}),
        (
            ALL,
            {
                "AUTH_API_KEYS_FILE": "/etc/orders/api-keys/keys",
                "AUTH_ISSUERS_FILE": "/etc/orders/auth/issuers.json",
            },
        ),
        (None, {}),
    ],
)
def test_the_service_is_told_of_files(auth: Object | None, expected: dict[str, str]) -> None:
    """Nothing of who may call is a variable, and each file is in a volume that is mounted."""
    made = service(auth=auth)
    found = variables(made)
    assert expected == {name: it for name, it in found.items() if name.startswith("AUTH_")}
    [container] = pod(made)["spec"]["containers"]
    folders = {it["mountPath"] for it in container["volumeMounts"]}
    assert {it.rpartition("/")[0] for it in expected.values()} <= folders


def test_it_is_off_unless_it_is_declared() -> None:
    """No pod of before is another one; a declaration that was kept before is the same."""
    kept = complete(declaration(service()))
    assert kept.pop("takesTokens") is False
    assert kept.pop("apiKeys") is None
    assert revision(service()).hash != revision(service(auth=ALL)).hash
    assert "6575b91dd6" == revision(service()).hash


@pytest.mark.parametrize(
    ("jwt", "ports"),
    [
        ({"issuer": "https://a.example/x", "audience": "b"}, {443}),
        ({"issuer": "https://a.example:8443", "audience": "b"}, {8443}),
        ({"issuer": "http://dex.auth.svc", "audience": "b"}, {80}),
        ({"issuer": "a", "audience": "b", "jwksURL": "http://d.auth.svc:5556/k"}, {5556}),
        (
            {"issuer": "https://a.example:1", "audience": "b", "jwksURL": "https://b.example"},
            {443},
        ),
    ],
)
def test_pods_go_to_the_ports_of_issuers(jwt: Object, ports: set[int]) -> None:
    """Where their keys are; the API server's are a file, so nobody goes there."""
    assert ports == issuer_ports(files(jwt=[jwt], serviceAccounts=[CALLER]))


def test_a_file_that_somebody_has_changed_opens_nothing() -> None:
    """It is set right by the next apply."""
    assert frozenset() == issuer_ports({"issuers.json": "?"})
    assert kept_keys({"issuers.json": '[{"issuer": 1}]', "cluster-jwks.json": "{}"}) is None


@pytest.mark.parametrize("address", ["https://:443", "https://a:65536", "https://a:0/keys"])
def test_an_address_that_pods_would_not_take_is_told(address: str) -> None:
    """Or they would go on with whom they have trusted before."""
    for jwt in ({"issuer": address}, {"issuer": "a", "jwksURL": address}):
        with pytest.raises(InvalidSpec, match="it needs a host, a port of 1 to 65535"):
            service(auth={"jwt": [{**jwt, "audience": "b"}]})


def test_a_volume_of_a_sidecar_is_none_of_ours() -> None:
    """One of the same name that is no Secret says nothing of what the service reads."""
    volumes = [{"name": "tls", "csi": {"driver": "d"}}, {"name": "api-keys", "emptyDir": {}}]
    assert () == everything({"spec": {"volumes": volumes}})
    assert auth_config_of({"spec": {"volumes": [{"name": "auth", "secret": {}}]}}) is None


@given(services)
def test_nobody_is_trusted_by_accident(made: OrderService) -> None:
    """A service without auth has no file of it, and one with auth mounts what it needs."""
    auth, found = made.spec.auth, template(made)
    tokens = auth is not None and auth.takes_tokens
    assert tokens == (auth_config_of(found) is not None)
    assert (auth is not None) == any(name.startswith("AUTH_") for name in variables(made))
    if auth is not None:
        config = auth_config(made, auth_files(auth, CLUSTER))
        assert "shop-auth" == config["metadata"]["name"]
