"""Reads a bearer token's claims before its signature is checked (RFC 7519, 8725).

Most bad tokens are refused here, within microseconds: malformed, expired, or not valid yet.
Nothing is accepted here. Whatever passes goes to the JOSE library (`keys.py`), which checks the
signature, and these claims once more.
"""

import math
import re
from base64 import urlsafe_b64decode
from functools import lru_cache
from time import time
from typing import Any, Final

from msgspec import Struct

from orders.auth import strict_json
from orders.auth.outcomes import EXPIRED, MALFORMED, NOT_YET, Refused

LONGEST: Final = 8192
"""Characters of a token; Granian takes 16 KiB of head."""
LEEWAY: Final = 60.0
"""Seconds by which clocks may differ."""
ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")

_TOKEN: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)").fullmatch
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LAST: Final = {2: _ALPHABET[::16], 3: _ALPHABET[::4]}
"""What the last character may be, by how many there are beyond whole groups of four."""
_HEADERS: Final = 256
"""Headers that are remembered; the tokens of an issuer have few different ones."""
_LONGEST_WORD: Final = 255
_TYPES: Final = frozenset(("jwt", "at+jwt"))


class Token(Struct, frozen=True):
    """The parts of a token that decide; `exp` is seconds since 1970."""

    text: str
    algorithm: str
    kid: str | None
    issuer: str
    subject: str
    audiences: tuple[str, ...]
    exp: float
    claims: dict[str, Any]


def read(text: str) -> Token:
    """Read a token that is of this time.

    Raises:
        Refused: it is malformed, expired, or not valid yet.

    """
    match = _TOKEN(text) if len(text) <= LONGEST else None
    if match is None:
        raise Refused(MALFORMED)
    header, body, signature = match.groups()
    try:
        algorithm, kid = _header(header)
        claims = _object(body)
        token = Token(
            text,
            algorithm,
            kid,
            _word(claims["iss"]),
            _word(claims["sub"]),
            _audiences(claims["aud"]),
            _instant(claims["exp"]),
            claims,
        )
        earliest = max(_instant(claims.get(name, 0)) for name in ("nbf", "iat"))
    except (ValueError, KeyError, OverflowError):  # the last one of an integer of many digits
        raise Refused(MALFORMED) from None
    now = time()
    if token.exp <= now - LEEWAY:
        raise Refused(EXPIRED)
    if earliest > now + LEEWAY:
        raise Refused(NOT_YET)
    if not _is_canonical(signature):
        raise Refused(MALFORMED)
    return token


def granted(claims: dict[str, Any], named: str | None) -> frozenset[str] | None:
    """Return the scopes that a token has, known or not; None if it has none at all.

    Args:
        claims: of the token.
        named: the claim with its scopes; else it is `scope`, or `scp` if there is none.

    """
    for claim in ("scope", "scp") if named is None else (named,):
        if claim in claims:
            return _scopes(claims[claim])
    return None


def _scopes(value: Any) -> frozenset[str]:
    """Return words; what is of another type grants nothing."""
    if isinstance(value, str):
        return frozenset(value.split(" "))  # and at no other space than this one (RFC 6749, 3.3)
    if isinstance(value, list):
        return frozenset(each for each in value if isinstance(each, str))
    return frozenset()


@lru_cache(_HEADERS)
def _header(part: str) -> tuple[str, str | None]:
    """Return algorithm and `kid`; what else may name a key (`jwk`, `jku`, `x5u`) is not read."""
    header = _object(part)
    algorithm, kid = header["alg"], header.get("kid")
    if algorithm not in ALGORITHMS or "crit" in header or "b64" in header:
        raise ValueError(algorithm)
    if "kid" in header and not (isinstance(kid, str) and len(kid) <= _LONGEST_WORD):
        raise ValueError(kid)
    if "typ" in header:
        kind = header["typ"]
        if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES:
            raise ValueError(kind)
    return algorithm, kid


def _audiences(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(value)
    return tuple(value)


def _word(value: Any) -> str:
    """Take text that can stand in a line of the log, and in PostgreSQL."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_WORD:
        raise ValueError(value)
    if not value.isprintable():
        raise ValueError(value)
    return value


def _instant(value: Any) -> float:
    """Take a NumericDate (RFC 7519, 2): true is no number, and infinity no date."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise ValueError(value)
    if not math.isfinite(value):
        raise ValueError(value)
    return float(value)


def _object(part: str) -> dict[str, Any]:
    value = strict_json.loads(_bytes(part))
    if not isinstance(value, dict):
        raise ValueError(part)  # noqa: TRY004  it is the caller's
    return value


def _bytes(part: str) -> bytes:
    """Decode base64url (RFC 7515, 2)."""
    if not _is_canonical(part):
        raise ValueError(part)
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _is_canonical(part: str) -> bool:
    """Whether text is base64url that has one spelling: the bits after the last byte are 0."""
    left = len(part) % 4
    if left == 0:
        return True
    return left != 1 and part[-1] in _LAST[left]
