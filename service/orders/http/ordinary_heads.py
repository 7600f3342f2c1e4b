"""Which heads of requests are those of ordinary clients, so that a hot call takes them.

It asks the functions that the cold path asks, once for each value of a header.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from orders.errors import Problem
from orders.http.head import is_host
from orders.http.negotiation import check_accept, check_content

NONE: Final = " "
"""Stands for a required header that is missing."""
UNANNOUNCED: Final = -1
"""Stands for the length of a body that no header announces."""

_REMEMBERED: Final = 256
"""How many values of a header are remembered, and how long one may be; a longer one is cold."""


@lru_cache(_REMEMBERED)
def names_host(host: str) -> bool:
    """Whether this may be the value of Host."""
    return len(host) <= _REMEMBERED and is_host(host.encode())


@lru_cache(_REMEMBERED)
def gives_json(accept: str) -> bool:
    """Whether a caller with this Accept header takes the API's answers."""
    return _passes(check_accept, accept)


@lru_cache(_REMEMBERED)
def takes_json(content_type: str) -> bool:
    """Whether the API takes a body of this type."""
    return _passes(lambda value: check_content(value, None), content_type)


def body_length(headers: dict[str, str]) -> int | None:
    """Return the bytes that a body is announced to have; None if it is chunked."""
    announced = headers.get("content-length")
    if announced is not None:
        return int(announced)  # the server has checked that it is a number
    return None if headers.get("transfer-encoding", "").lower() == "chunked" else UNANNOUNCED


def _passes(check: Callable[[bytes], None], value: str) -> bool:
    if len(value) > _REMEMBERED:
        return False
    try:
        check(value.encode())
    except Problem:
        return False
    return True
