"""Conditional reads (RFC 9110, 13): the entity tag of an order, and If-None-Match.

An order never changes, so its tag follows from its id and from the version of its representation.
"""

import re
from typing import Final

REPRESENTATION: Final = 1
"""Raised when the JSON of an order gets another form, so that caches fetch it again."""

_TAGS: Final = re.compile(r'"([\x21\x23-\x7e\x80-\xff]*)"')


def etag(order_id: str) -> str:
    """Return the strong entity tag of the order with this id."""
    return f'"{order_id}-{REPRESENTATION}"'


def matches(if_none_match: str, tag: str) -> bool:
    """Whether the header names `tag`, by the weak comparison (RFC 9110, 8.8.3.2), or is `*`."""
    return if_none_match.strip() == "*" or tag[1:-1] in _TAGS.findall(if_none_match)
