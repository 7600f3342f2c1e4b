"""API keys: what `orders keys new` prints, and the file of those that are valid.

A key is 256 random bits, so the file can hold its plain SHA-256: there is nothing to guess, and a
salt or a slow hash would add nothing. A key is looked up by its digest, so the time of a
comparison reveals nothing about any key: choosing the first bytes of a digest would mean that
SHA-256 is broken.
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final

from orders.auth.caller import API_KEY, Caller, key_owner
from orders.auth.grants import lines, scopes

_PREFIX: Final = "orders_"
"""Tells people, and scanners for secrets, what a key is for; no key begins with a dash."""
_BYTES: Final = 32
_HASH: Final = "sha256:"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}").fullmatch
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})").fullmatch

NAMES: Final = "1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first"
"""What a name may be."""


def is_name(text: str) -> bool:
    """Whether an API key may have this name."""
    return _NAME(text) is not None


def new_key() -> str:
    """Return a new key: 256 random bits, in base64url."""
    return _PREFIX + secrets.token_urlsafe(_BYTES)


def digest(key: str) -> bytes:
    """Return the digest by which a key is looked up."""
    return sha256(key.encode()).digest()


def line(name: str, key: str, granted: Iterable[str]) -> str:
    """Return the file's line for a key."""
    return " ".join((name, _HASH + digest(key).hex(), *granted))


def read(text: str) -> Mapping[bytes, Caller]:
    """Return whose the keys are, by digest. Several lines may have one name, as while it changes.

    Raises:
        ValueError: which line is wrong, and how; without what stands there, which may be a key.

    """
    found: dict[bytes, Caller] = {}
    for number, (name, *words) in lines(text):
        where = f"line {number}"
        if not is_name(name):
            raise ValueError(f"{where} must begin with a name: {NAMES}")
        match = _DIGEST(words[0]) if words else None
        if match is None:
            raise ValueError(
                f"{where} must have sha256: and 64 hexadecimal digits after its name, as"
                " `orders keys new` prints them"
            )
        key = bytes.fromhex(match[1])
        if key in found:
            raise ValueError(f"{where} repeats the key of an earlier line")
        found[key] = Caller(name, key_owner(name), scopes(words[1:], where), API_KEY)
    return found
