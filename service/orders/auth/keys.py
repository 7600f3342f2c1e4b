"""An issuer's public keys, and what they verify: the only module that uses the JOSE library.

It is imported only if bearer tokens are accepted.
"""

from hashlib import sha256
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from msgspec import Struct, json

from orders.auth import strict_json
from orders.auth.outcomes import (
    EXPIRED,
    MALFORMED,
    NOT_YET,
    UNKNOWN_ISSUER,
    UNKNOWN_KEY,
    WRONG_AUDIENCE,
    WRONG_SIGNATURE,
    Refused,
)
from orders.auth.token import ALGORITHMS, LEEWAY, Token

REQUIRED: Final = ("iss", "aud", "sub", "exp")

_SYMMETRIC: Final = "oct"
_PRIVATE: Final = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))
_RSA_BITS: Final = range(2048, 8193)
"""Shorter keys are too weak (RFC 7518, 3.3); longer ones make each token dear to look at."""
_MOST: Final = 100
"""The most keys that a set may have."""
_BY_KIND: Final = {
    ("RSA", None): "RS256",
    ("EC", "P-256"): "ES256",
    ("OKP", "Ed25519"): "EdDSA",
    ("OKP", "Ed448"): "EdDSA",
}
_ALGORITHM_NAMES: Final = {"Ed25519": "EdDSA", "Ed448": "EdDSA"}
"""What RFC 9864 calls them; tokens have the older name."""
_OUTCOMES: Final = (
    (jwt.ExpiredSignatureError, EXPIRED),
    (jwt.ImmatureSignatureError, NOT_YET),
    (jwt.InvalidAudienceError, WRONG_AUDIENCE),
    (jwt.InvalidIssuerError, UNKNOWN_ISSUER),
    (jwt.InvalidSignatureError, WRONG_SIGNATURE),
)


class Key(Struct, frozen=True):
    """A public key, which checks one algorithm; `identity` is that of it under its name."""

    kid: str | None
    algorithm: str
    identity: bytes
    public: Any


class Keys:
    """A set of public keys."""

    def __init__(self, keys: list[Key]) -> None:
        """Of two keys with one name and algorithm, the first one counts."""
        self.identities = frozenset(key.identity for key in keys)
        self._by_name = {(key.kid, key.algorithm): key for key in reversed(keys)}
        self._by_algorithm = {
            algorithm: [key for key in keys if key.algorithm == algorithm]
            for algorithm in ALGORITHMS
        }

    def of(self, token: Token) -> Key:
        """Return the key that a token names; without a name the only one of its algorithm.

        Raises:
            Refused: there is none, or there are several.

        """
        if token.kid is not None:
            key = self._by_name.get((token.kid, token.algorithm))
            if key is None:
                raise Refused(UNKNOWN_KEY)
            return key
        candidates = self._by_algorithm[token.algorithm]
        if len(candidates) != 1:
            raise Refused(UNKNOWN_KEY)
        return candidates[0]

    @staticmethod
    def verify(token: Token, key: Key, issuer: str, audience: str) -> None:
        """Check the signature of a token, and once more what it says.

        Raises:
            Refused: it is not valid.

        """
        try:
            jwt.decode(
                token.text,
                key.public,
                algorithms=[key.algorithm],
                audience=audience,
                issuer=issuer,
                leeway=LEEWAY,
                options={"require": list(REQUIRED)},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            for kind, outcome in _OUTCOMES:
                if isinstance(error, kind):
                    raise Refused(outcome) from None
            raise Refused(MALFORMED) from None


def read(content: bytes, *, strict: bool) -> Keys:
    """Read a JWK Set (RFC 7517, 5): what is of no use in it is left out.

    Args:
        content: the document.
        strict: whether a secret in it is an error, as of a file of ours; else it is left out.

    Raises:
        ValueError: it is none, or has no key that can be used.

    """
    document = strict_json.loads(content)
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(entries) > _MOST:
        raise ValueError(f'it must be a JWK Set, {{"keys": [...]}}, with at most {_MOST} keys')
    usable = []
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise ValueError(f"keys[{index}] is not an object")  # noqa: TRY004  it is the file's
        secret = _secret(entry)
        if secret is not None:
            if strict:
                raise ValueError(f"keys[{index}] is {secret}; only public keys are allowed")
            continue
        key = _key(entry)
        if key is not None:
            usable.append(key)
    if not usable:
        raise ValueError(f"it has no public key for {', '.join(ALGORITHMS)}")
    return Keys(usable)


def _secret(entry: dict[str, Any]) -> str | None:
    if entry.get("kty") == _SYMMETRIC or "k" in entry:
        return "a symmetric key"
    return "a private key" if _PRIVATE & entry.keys() else None


def _key(entry: dict[str, Any]) -> Key | None:
    """Return a key; None if it is for something else, or not understood (RFC 7517, 5)."""
    kid = entry.get("kid")
    curve = entry.get("crv") if entry.get("kty") != "RSA" else None
    algorithm = _BY_KIND.get((str(entry.get("kty")), curve if curve is None else str(curve)))
    if algorithm is None or not (kid is None or isinstance(kid, str)):
        return None
    named = entry.get("alg", algorithm)
    operations = entry.get("key_ops", ["verify"])
    if (
        _ALGORITHM_NAMES.get(str(named), named) != algorithm
        or entry.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
    ):
        return None
    try:
        public = jwt.PyJWK(entry, algorithm=algorithm).key
    except Exception:  # noqa: BLE001  whatever is wrong with it, it is of no use
        return None
    if not _is_fit(public, algorithm):
        return None
    parts = {name: entry.get(name) for name in ("kid", "kty", "crv", "n", "e", "x", "y")}
    return Key(kid, algorithm, sha256(json.encode(parts)).digest(), public)


def _is_fit(key: object, algorithm: str) -> bool:
    """Whether a key is the public one that an algorithm takes, of a length that is allowed."""
    match algorithm:
        case "RS256":
            return isinstance(key, rsa.RSAPublicKey) and key.key_size in _RSA_BITS
        case "ES256":
            return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1"
        case _:
            return isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey))
