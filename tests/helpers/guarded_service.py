"""What has a service speak TLS and ask who calls, and what a caller needs to be let in."""

from pathlib import Path
from typing import NamedTuple

from orders.auth import api_keys
from tests.helpers.certificates import Authority
from tests.helpers.tokens import AUDIENCE, ISSUER, jwks, signer


class Closing(NamedTuple):
    """The environment of such a service, and two credentials that may read and order."""

    environ: dict[str, str]
    authority: Authority
    api_key: str
    token: str


class Closed(NamedTuple):
    """A service over TLS that asks who calls, and files with what it takes."""

    url: str
    authority: Authority
    credentials: dict[str, Path]
    """By the flag of a command that takes the file."""


def closing(folder: Path) -> Closing:
    """Make the files of it in a folder; skips the test where openssl is missing."""
    authority, key, issuer = Authority(folder), api_keys.new_key(), signer()
    mine = authority.issue("server")
    (folder / "keys").write_text(api_keys.line("shop", key, ["orders:read", "orders:write"]))
    (folder / "jwks").write_text(jwks(issuer))
    environ = {
        "TLS_CERT_FILE": str(mine.certificate),
        "TLS_KEY_FILE": str(mine.key),
        "AUTH_API_KEYS_FILE": str(folder / "keys"),
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_JWKS_FILE": str(folder / "jwks"),
    }
    return Closing(environ, authority, key, issuer.token())
