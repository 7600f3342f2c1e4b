"""What the operator gives to pods is what the service takes."""

import json

import pytest
from hypothesis import given, settings

from orders.auth.issuer import issuers
from orders.config import Config, protections
from orders_operator.api.decode import InvalidSpec
from orders_operator.api.spec import OrderService
from orders_operator.objects import Object
from orders_operator.resources.auth import ISSUERS, ClusterKeys, auth_files
from tests.helpers.operator.specs import pod, service, services, variables

CLUSTER = ClusterKeys("https://kubernetes.default.svc", '{"keys":[]}')
DATABASE = "postgresql://orders@shop-postgresql/orders"


OURS = ("AUTH_", "CORS_", "METRICS_", "TLS_")


def environment(made: OrderService) -> dict[str, str]:
    """Return what pods have of who may call, and how."""
    found = {name: it for name, it in variables(made).items() if name.startswith(OURS)}
    return found | {"DATABASE_URL": DATABASE}


@settings(max_examples=25)  # each makes all children of a service
@given(services)
def test_the_environment_is_taken(made: OrderService) -> None:
    """Whatever is declared, the service starts with it, and has on what is declared."""
    config = Config.from_env(environment(made))

    declared = made.spec
    assert (declared.cors is not None) == (config.cors is not None)
    assert (declared.tls is not None) == (config.tls is not None)
    assert (declared.auth is not None) == config.auth.on
    assert declared.monitoring.auth == config.metrics_auth


@settings(max_examples=25)
@given(services)
def test_no_pod_serves_openly_what_is_declared_closed(made: OrderService) -> None:
    """An image that does not know a protection refuses the argument; one that does needs it on."""
    [container] = pod(made)["spec"]["containers"]
    command, *arguments = container["args"]
    declared = {name for name in ("auth", "tls") if getattr(made.spec, name) is not None}
    declared |= {"metrics"} if made.spec.monitoring.auth else set()

    assert "serve" == command
    assert declared == set(arguments) - {"--require"}
    assert bool(declared) == ("--require" in arguments)
    protections.check(declared, Config.from_env(environment(made)))


@given(services)
def test_the_issuers_are_taken(made: OrderService) -> None:
    """The file says of each what is declared; one of nobody is a file, too."""
    auth = made.spec.auth
    if auth is None:
        return
    found = {it.trust.issuer: it for it in issuers(auth_files(auth, CLUSTER)[ISSUERS].encode())}

    expected = {it.issuer for it in auth.jwt}
    if auth.service_accounts:
        expected.add(CLUSTER.issuer)
        assert len({(it.namespace, it.name) for it in auth.service_accounts}) == len(
            found[CLUSTER.issuer].subjects
        )
    assert expected == set(found)


@pytest.mark.parametrize(
    "jwt",
    [
        {"issuer": "https://login.example.com", "audience": "orders", "scopesClaim": "roles"},
        {"issuer": "http://dex.auth.svc:5556", "audience": "orders"},
        {"issuer": "login", "audience": "orders", "jwksURL": "http://dex.auth.svc:5556/keys"},
        {"issuer": "login", "audience": "orders", "jwksURL": "https://dex.example/keys?a=b"},
    ],
)
def test_addresses_of_keys_are_taken(jwt: Object) -> None:
    """Those that an OrderService may have are those that the service fetches keys from."""
    auth = service(auth={"jwt": [jwt]}).spec.auth
    assert auth is not None

    [found] = issuers(auth_files(auth, None)[ISSUERS].encode())

    assert (jwt["issuer"], jwt.get("jwksURL")) == (found.trust.issuer, found.trust.jwks_url)


@pytest.mark.parametrize("invisible", ["\x01", "\u200b", "\ufeff", "\u00ad"])
@pytest.mark.parametrize("place", ["https://dex{}.example/keys", "https://dex.example/keys{}"])
def test_addresses_with_what_nobody_sees_are_refused(place: str, invisible: str) -> None:
    """Pods refuse the whole file for one, and would go on with whom they have trusted."""
    address = place.format(invisible)
    with pytest.raises(ValueError, match="jwksURL"):
        issuers(json.dumps([{"issuer": "a", "audience": "b", "jwksURL": address}]).encode())

    with pytest.raises(InvalidSpec, match="no invisible characters"):
        service(auth={"jwt": [{"issuer": "a", "audience": "b", "jwksURL": address}]})
    with pytest.raises(InvalidSpec, match="no invisible characters"):
        service(tracing={"endpoint": address})
