"""JSON without ambiguity: no repeated names, no NaN, and bounded nesting.

RFC 7515 (4) and RFC 7519 (4) let a reader either refuse a repeated name or take the last one;
readers that differ in that see two different tokens in one text.
"""

import json
import re
from typing import Any, Final

DEEPEST: Final = 64
"""Arrays and objects that may be in each other."""

_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def loads(text: bytes) -> Any:
    """Return what a document in UTF-8 says.

    Raises:
        ValueError: it is none.

    """
    document = text.decode()
    if document.count("[") + document.count("{") > DEEPEST and _depth(document) > DEEPEST:
        raise ValueError("it is nested too deeply")
    try:
        return _decode(document)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}") from None


def _depth(document: str) -> int:
    """Return how deeply it is nested; how deeply Python would read it is not the same in each."""
    depth = deepest = 0
    for sign in _STRING.sub("", document):
        if sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has the same name twice")
    return members


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


_decode: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number).decode
