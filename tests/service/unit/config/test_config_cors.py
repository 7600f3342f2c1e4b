"""What may be said of CORS, and what a browser would not take."""

import pytest

from orders.config import Config, Cors
from tests.helpers.environment import error, in_force

ORIGINS = "CORS_ALLOW_ORIGINS"


def cors(**environ: str) -> Cors:
    """Return what an environment comes to."""
    found = Config.from_env(environ).cors
    assert found is not None
    return found


def test_nothing_set_is_off() -> None:
    """Without an origin there is no CORS."""
    assert Config.from_env({}).cors is None


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("*", "*"),
        ("https://shop.test", "https://shop.test"),
        (" HTTPS://Shop.test ,http://localhost:3000,", "https://shop.test, http://localhost:3000"),
        ("https://a.test, https://a.test", "https://a.test"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("http://a.test:443", "http://a.test:443"),
    ],
)
def test_origins_are_as_browsers_send_them(value: str, origins: str) -> None:
    """Case and spaces do not matter; each origin counts once."""
    assert origins == cors(**{ORIGINS: value}).origins


@pytest.mark.parametrize(
    "value",
    [
        "shop.test",
        "https://shop.test/",
        "https://shop.test/cart",
        "https://*.shop.test",
        "https://shop.test:443",
        "http://shop.test:80",
        "https://me@shop.test",
        "https://caf\u00e9.test",
        "null",
        "*, https://shop.test",
        ",",
        "https://a.test https://b.test",
        "https://a.test\r\nx: y",
    ],
)
def test_what_is_no_origin_is_refused(value: str) -> None:
    """What no browser sends would allow nothing, so it is an error."""
    found = error(**{ORIGINS: value})

    assert found.startswith(f"{ORIGINS} is ")
    assert "such as https://shop.example.com" in found


@pytest.mark.parametrize("name", ["CORS_ALLOW_HEADERS", "CORS_EXPOSE_HEADERS"])
@pytest.mark.parametrize("value", ["a b", "a, *", "x:y", ",", "\u00e9"])
def test_what_is_no_header_is_refused(name: str, value: str) -> None:
    """A list of headers has names alone, or the wildcard alone."""
    assert error(**{ORIGINS: "*", name: value}).startswith(f"{name} is ")


@pytest.mark.parametrize("name", ["CORS_ALLOW_CREDENTIALS", "ACCESS_CONTROL_ALLOW_CREDENTIALS"])
@pytest.mark.parametrize(
    "wildcard",
    [
        {ORIGINS: "*"},
        {"ACCESS_CONTROL_ALLOW_ORIGIN": "*"},
        {ORIGINS: "https://a.test", "CORS_ALLOW_HEADERS": "*"},
        {ORIGINS: "https://a.test", "CORS_EXPOSE_HEADERS": "*"},
    ],
    ids=str,
)
def test_a_wildcard_with_credentials_is_refused(name: str, wildcard: dict[str, str]) -> None:
    """Browsers take no wildcard of a server that lets them send credentials."""
    found = error(**wildcard, **{name: "true"})

    assert found.startswith(f"{name} is 'true'; allowed: ")
    assert "*" in found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CORS_ALLOW_CREDENTIALS", "true"),
        ("CORS_ALLOW_HEADERS", "x-shop"),
        ("ACCESS_CONTROL_EXPOSE_HEADERS", "etag"),
        ("CORS_MAX_AGE", "60"),
    ],
)
def test_without_origins_nothing_else_counts(name: str, value: str) -> None:
    """Half a setting is an error that names the other half."""
    found = error(**{name: value})

    assert found.startswith(f"{name} is {value!r}; allowed: ")
    assert "only with CORS_ALLOW_ORIGINS" in found


def test_what_is_allowed_by_default_is_what_the_api_reads() -> None:
    """Credentials, keys and conditions may be sent; credentials of the browser may not."""
    found = cors(**{ORIGINS: "https://a.test"})

    assert {"authorization", "x-api-key", "idempotency-key"} <= set(found.headers.split(", "))
    assert (False, 600.0) == (found.credentials, found.max_age)


def test_gofr_names_come_second() -> None:
    """Our own name counts where both are set, and the listing shows which did."""
    environ = {"CORS_MAX_AGE": "5", "ACCESS_CONTROL_MAX_AGE": "6", ORIGINS: "*"}
    config = Config.from_env(environ)

    assert config.cors is not None
    assert 5.0 == config.cors.max_age
    assert ("*", "environment") == in_force(config)[ORIGINS]
