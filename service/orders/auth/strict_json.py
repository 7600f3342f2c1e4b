"""JSON in which nothing has two meanings: no name twice, no NaN, no nesting without an end.

RFC 7515 (4) and RFC 7519 (4) let a reader refuse a name that stands twice, or take the last one;
readers that differ in that see two tokens in one.
"""

import json
from typing import Any, Final


def loads(text: bytes) -> Any:
    """Return what a document in UTF-8 says.

    Raises:
        ValueError: it is none.

    """
    try:
        return _decode(text.decode())
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("it has a name twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


_decode: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number).decode
