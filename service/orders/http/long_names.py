"""Finds names of fields that are too long to be decoded: the decoder's error would repeat them.

msgspec copies the name of an unknown field twice on its way into the message, with four bytes for
each character if one is an emoji: nine bytes of memory for each byte of such a name.
"""

import re
from typing import Final

LONGEST: Final = 4096
"""Bytes of a name, as it is written."""

_SHOWN: Final = 100
"""Bytes of its beginning that are returned."""
_HALF: Final = LONGEST // 2
_BACKSLASH: Final = ord("\\")
_QUOTE: Final = re.compile(rb'[^\\]"')
_ENDS_NAME: Final = re.compile(rb'"\s*:')


def long_name(body: bytes) -> str | None:
    """Return the beginning of a field's name that has more than `LONGEST` bytes; None without one.

    An ordinary body has a quotation mark in each piece of half that size, and only that is
    checked: some microseconds for a whole batch.
    """
    last = len(body) - _HALF
    if last <= _HALF or all(_has_quote(body, at) for at in range(0, last, _HALF)):
        return None
    # Of the same length without escapes, so that every quotation mark begins or ends a text.
    at = _long_name(body.replace(rb"\\", b"__").replace(rb"\"", b"__"))
    return None if at is None else body[at : at + _SHOWN].decode("utf-8", "replace")


def _has_quote(body: bytes, at: int) -> bool:
    """Whether a piece surely has a quotation mark that is not escaped."""
    first = body.find(b'"', at, at + _HALF)
    if first < 0:
        return False
    return body[first - 1] != _BACKSLASH or _QUOTE.search(body, at, at + _HALF) is not None


def _long_name(body: bytes) -> int | None:
    """Return where the name begins."""
    at = counted = 0
    is_in_text = False
    while at + _HALF <= len(body):
        if body.find(b'"', at, at + _HALF) >= 0:
            at += _HALF
            continue
        is_in_text ^= body.count(b'"', counted, at) % 2 == 1
        start, end = body.rfind(b'"', counted, at) + 1, body.find(b'"', at)
        if end < 0:
            return None
        if is_in_text and end - start > LONGEST and _ENDS_NAME.match(body, end):
            return start
        at = counted = end
    return None
