"""Bearer tokens as issuers make them, and as attackers do: signed by hand, so any can be made."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from jwt.algorithms import get_default_algorithms

ISSUER: Final = "https://issuer.example"
AUDIENCE: Final = "orders"
SUBJECT: Final = "system:serviceaccount:shop:checkout"
BOTH: Final = "orders:read orders:write"
HOUR: Final = 3600

_MAKERS: Final[dict[str, Callable[[], Any]]] = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
    "RSA 1024": lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505  to be refused
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
}
_ALGORITHMS: Final = {"Ed448": "EdDSA", "RSA 1024": "RS256"}


class Signer(NamedTuple):
    """A private key, its algorithm and its name."""

    algorithm: str
    private: Any
    kid: str | None

    def jwk(self, **more: Any) -> dict[str, Any]:
        """Return the public key as an issuer publishes it."""
        found = self._algorithm().to_jwk(self.private.public_key(), as_dict=True)
        named = {} if self.kid is None else {"kid": self.kid}
        return {**found, "alg": self.algorithm, "use": "sig", **named, **more}

    def private_jwk(self) -> dict[str, Any]:
        """Return the private key, which nobody publishes."""
        return {**self._algorithm().to_jwk(self.private, as_dict=True), "kid": self.kid}

    def sign(self, header: str, claims: str) -> str:
        """Return a token of these documents, whatever they say."""
        signed = f"{encoded(header.encode())}.{encoded(claims.encode())}"
        return f"{signed}.{encoded(self._algorithm().sign(signed.encode(), self.private))}"

    def token(
        self, header: Mapping[str, Any] | None = None, claims: Mapping[str, Any] | None = None
    ) -> str:
        """Return a token that is good but for what is given; None leaves something out."""
        named = {} if self.kid is None else {"kid": self.kid}
        usual_header = {"alg": self.algorithm, "typ": "JWT", **named}
        return self.sign(
            json.dumps(_without(usual_header | dict(header or {}))),
            json.dumps(_without(good_claims() | dict(claims or {}))),
        )

    def _algorithm(self) -> Any:
        return get_default_algorithms()[self.algorithm]


@cache
def signer(kind: str = "RS256", kid: str | None = "key-1", number: int = 0) -> Signer:
    """Return a key, the same one each time; `number` tells those of one kind apart."""
    return Signer(_ALGORITHMS.get(kind, kind), _private(kind, number), kid)


@cache
def _private(kind: str, number: int) -> Any:
    del number
    return _MAKERS[kind]()


def jwks(*signers: Signer) -> str:
    """Return a JWK Set of public keys."""
    return json.dumps({"keys": [each.jwk() for each in signers]})


def good_claims() -> dict[str, Any]:
    """Return claims that are accepted."""
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": SUBJECT,
        "iat": now,
        "nbf": now,
        "exp": now + HOUR,
        "scope": BOTH,
    }


def encoded(content: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def hmac_token(secret: bytes, header: Mapping[str, Any]) -> str:
    """Return a token that is signed with a symmetric key."""
    algorithm = get_default_algorithms()["HS256"]
    signed = ".".join(
        encoded(json.dumps(part).encode()) for part in ({**header, "alg": "HS256"}, good_claims())
    )
    return f"{signed}.{encoded(algorithm.sign(signed.encode(), secret))}"


def _without(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
