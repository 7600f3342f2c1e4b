"""The content of Secrets and ConfigMaps: what is missing, and a hash of what pods read. Pure.

Only the keys that pods read count, so that a certificate beside a URL rolls no pods.
"""

import hashlib
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import json

from orders_operator.objects import Object
from orders_operator.resources.references import REFERENCED, Needed, Reference

Objects = Mapping[Reference, Object | None]

_HASH_LENGTH: Final = 16


def missing(needed: Iterable[Needed], live: Objects) -> tuple[str, ...]:
    """Return a message for each object or key that is missing."""
    texts = []
    for item in needed:
        if item.optional or value(item, live) is not None:
            continue
        kind, name = REFERENCED[item.reference.plural], item.reference.name
        if live.get(item.reference) is None:
            texts.append(f"{kind} {name} does not exist")
        else:
            texts.append(f"{kind} {name} has no key {item.key}")
    return tuple(dict.fromkeys(texts))


def value(item: Needed, live: Objects) -> str | None:
    """Return a value as the API server has it: base64 in a Secret, text in a ConfigMap."""
    found: str | None = ((live.get(item.reference) or {}).get("data") or {}).get(item.key)
    return found


def content_hash(values: Mapping[Needed, str | None]) -> str:
    """Return a hash of what pods read: the names and values, without the objects' metadata."""
    content = [
        (item.reference.plural, item.reference.name, item.key, found)
        for item, found in sorted(values.items())
    ]
    return hashlib.sha256(json.encode(content)).hexdigest()[:_HASH_LENGTH]


def text(item: Needed, live: Objects) -> str | None:
    """Return a value of a Secret as text; None if it is missing or is not text."""
    try:
        return b64decode(value(item, live) or "?", validate=True).decode().strip()
    except (Base64Error, UnicodeDecodeError):
        return None
