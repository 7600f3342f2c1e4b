"""What may be said of TLS on the API's port."""

import pytest

from orders.config import Config, ServerTls
from tests.helpers.environment import error

BOTH = {"TLS_CERT_FILE": "/tls/tls.crt", "TLS_KEY_FILE": "/tls/tls.key"}


def test_nothing_set_is_off() -> None:
    """Without a certificate the API is plain HTTP."""
    config = Config.from_env({})

    assert (None, "http") == (config.tls, config.scheme)


def test_a_certificate_and_its_key_are_enough() -> None:
    """With both the API is https, from TLS 1.2 on, for whoever comes."""
    config = Config.from_env(BOTH)

    assert (ServerTls("/tls/tls.crt", "/tls/tls.key", "1.2", None), "https") == (
        config.tls,
        config.scheme,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TLS_CERT_FILE", "/tls/tls.crt"),
        ("TLS_KEY_FILE", "/tls/tls.key"),
        ("TLS_MIN_VERSION", "1.3"),
        ("TLS_CLIENT_CA_FILE", "/tls/ca.crt"),
    ],
)
def test_half_a_setting_is_refused(name: str, value: str) -> None:
    """The message names the other half."""
    found = error(**{name: value})

    assert found.startswith(f"{name} is {value!r}; allowed: ")
    assert "with TLS_" in found


@pytest.mark.parametrize("value", ["1.1", "1.0", "2", "TLSv1.2", "ssl3"])
def test_old_versions_are_refused(value: str) -> None:
    """Versions that are broken cannot be asked for."""
    assert error(**BOTH, TLS_MIN_VERSION=value).startswith(f"TLS_MIN_VERSION is {value!r}; ")
