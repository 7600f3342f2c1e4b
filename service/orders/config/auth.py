"""Reads the variables of authentication; an incomplete group of them is an error.

The files are not read here: `orders.auth` does that when the service starts.
"""

from typing import Final

from msgspec import Struct

from orders.config.auth_settings import AUTH, keys_url
from orders_common.settings import Reader

WAYS: Final = ("AUTH_API_KEYS_FILE", "AUTH_ISSUER", "AUTH_ISSUERS_FILE")
"""The variables any of which says who may call."""

_OF_THE_ISSUER: Final = ("audience", "jwks_file", "jwks_url", "scopes_claim", "subjects_file")


class AuthConfig(Struct, frozen=True):
    """Whose callers may order; None is what is not set, and where all is None everybody may."""

    issuer: str | None = None
    audience: str | None = None
    jwks_file: str | None = None
    jwks_url: str | None = None
    scopes_claim: str | None = None
    subjects_file: str | None = None
    issuers_file: str | None = None
    api_keys_file: str | None = None
    metrics_keys_file: str | None = None

    @property
    def on(self) -> bool:
        """Whether the API asks for a credential."""
        return (self.issuer, self.issuers_file, self.api_keys_file) != (None, None, None)

    @property
    def needed(self) -> bool:
        """Whether the API or its metrics ask for one."""
        return self.on or self.metrics_keys_file is not None


def read_auth(reader: Reader) -> AuthConfig:
    """Read the settings.

    Raises:
        ValueError: with the field that is wrong beside the others, and what is allowed.

    """
    found = AuthConfig(**reader.group(AUTH))
    if found.issuer is None:
        for field in _OF_THE_ISSUER:
            if getattr(found, field) is not None:
                raise ValueError(field, "only together with AUTH_ISSUER")
        return found
    if found.audience is None:
        raise ValueError("issuer", "only together with AUTH_AUDIENCE")
    if found.jwks_file is None and found.jwks_url is None and not discoverable(found.issuer):
        raise ValueError("issuer", "an https URL, unless AUTH_JWKS_FILE or AUTH_JWKS_URL is set")
    return found


def check_metrics(auth: AuthConfig, *, asks: bool) -> None:
    """Check that metrics that ask for a credential have some to take, and have none for nothing.

    Raises:
        ValueError: as above.

    """
    if asks and not auth.needed:
        ways = ", ".join((*WAYS, "METRICS_API_KEYS_FILE"))
        raise ValueError("metrics_auth", f"only together with one of {ways}")
    if auth.metrics_keys_file is not None and not asks:
        raise ValueError("metrics_keys_file", "only together with METRICS_AUTH=true")


def discoverable(issuer: str) -> bool:
    """Whether an issuer is a URL below which OpenID discovery may look (Discovery 1.0, 3)."""
    try:
        keys_url(issuer)
    except ValueError:
        return False
    return "?" not in issuer and "#" not in issuer
