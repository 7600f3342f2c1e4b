"""Measures what authentication costs: this service with a token on every request, and without.

The token is signed with RS256 and has the claims of a Kubernetes ServiceAccount's token.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from msgspec import Struct, structs

from bench.servers import Server

GUARDED: Final = "orders-guarded"

_ISSUER: Final = "https://kubernetes.default.svc.cluster.local"
_AUDIENCE: Final = "orders"
_SUBJECT: Final = "system:serviceaccount:shop:checkout"
_KID: Final = "4FeQXhMCjVvLx1Ri8vAp9W2mYdHuNk0sZtEoTbGfK7c"
_HOURS: Final = 12


class Issued(Struct, frozen=True):
    """A token, and the file of the key that it was signed with."""

    token: str
    jwks: Path


@contextmanager
def issuing() -> Iterator[Issued]:
    """Have a key and a token that outlasts a run."""
    private = rsa.generate_private_key(65537, 2048)
    public = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    with tempfile.TemporaryDirectory() as folder:
        jwks = Path(folder, "jwks.json")
        jwks.write_text(json.dumps({"keys": [public | {"kid": _KID}]}), "utf-8")
        token = jwt.encode(_claims(int(time.time())), private, "RS256", {"kid": _KID})
        yield Issued(token, jwks)


def guarded(server: Server, issued: Issued) -> Server:
    """Return the same service that asks for a token, which is sent with each request."""
    return structs.replace(
        server,
        name=GUARDED,
        title=f"{server.title}, a token on every request",
        token=issued.token,
        environment={
            "AUTH_ISSUER": _ISSUER,
            "AUTH_AUDIENCE": _AUDIENCE,
            "AUTH_JWKS_FILE": str(issued.jwks),
        },
    )


def _claims(now: int) -> dict[str, object]:
    pod = {"name": "checkout-5d9c7b8f6-x2k4q", "uid": "0b1c5e0a-6d0e-4f0b-9f43-3f7f3d1f3b52"}
    account = {"name": "checkout", "uid": "a5b8a4ce-4f0f-4b9a-8f2b-0d0c3f6d4f11"}
    return {
        "aud": [_AUDIENCE],
        "exp": now + _HOURS * 3600,
        "iat": now,
        "iss": _ISSUER,
        "jti": "9e2f6a55-2f0e-4a39-8a0b-0f3f2a6f1c77",
        "kubernetes.io": {"namespace": "shop", "pod": pod, "serviceaccount": account},
        "nbf": now,
        "scope": "orders:read orders:write",
        "sub": _SUBJECT,
    }
