"""Conditional requests (RFC 9110, 13): the entity tag of an order, If-Match and If-None-Match.

An order never changes, so its tag follows from its id and from the version of its representation.
Nothing has a time of its last change, so the other conditions are ignored, as the RFC asks.
"""

import re
from binascii import crc32
from typing import Final

from orders.errors import PreconditionFailed
from orders.model import COLUMNS

_FORM: Final = "1 " + ", ".join(f"{column.wire} {column.type}" for column in COLUMNS)
REPRESENTATION: Final = f"{crc32(_FORM.encode()):08x}"
"""Changes when the JSON of an order has other fields, so that caches fetch it again."""

_TAGS: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')


def etag(order_id: str) -> str:
    """Return the strong entity tag of the order with this id."""
    return f'"{order_id}-{REPRESENTATION}"'


def check_match(if_match: str, tag: str) -> None:
    """Check that a header names `tag`, by the strong comparison, or is `*` (RFC 9110, 13.1.1).

    Raises:
        PreconditionFailed: it names others.

    """
    if if_match.strip() != "*" and ("", tag[1:-1]) not in _TAGS.findall(if_match):
        raise PreconditionFailed


def check_untagged(if_match: str | None, if_none_match: str | None, *, exists: bool) -> bool:
    """Check a request's conditions on a resource without a tag; return whether the caller has it.

    Args:
        if_match: the header's value.
        if_none_match: the header's value.
        exists: whether the resource exists.

    Raises:
        PreconditionFailed: If-Match is false.

    """
    if if_match is not None and not (exists and if_match.strip() == "*"):
        raise PreconditionFailed
    return exists and if_none_match is not None and if_none_match.strip() == "*"


def matches(if_none_match: str, tag: str) -> bool:
    """Whether the header names `tag`, by the weak comparison (RFC 9110, 8.8.3.2), or is `*`."""
    return if_none_match.strip() == "*" or any(
        named == tag[1:-1] for _, named in _TAGS.findall(if_none_match)
    )
