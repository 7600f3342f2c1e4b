"""Which request starts when, and of what kind: a function of its number alone.

Kinds come from multiples of irrational numbers, which spread evenly over 0 to 1 and independently
of each other (Weyl's theorem). So a share is met within a few requests at any time, reads and
creates both use fresh connections, and two runs make the same requests.
"""

import math
from typing import Final, NamedTuple

from orders_operator.load.settings import LoadSettings

_READ: Final = math.sqrt(2)
_FRESH: Final = math.sqrt(3)
_CHOICE: Final = math.sqrt(5)
_JITTER: Final = math.sqrt(7)
_BACKOFF: Final = 0.25
_BACKOFF_LIMIT: Final = 5.0


class Kind(NamedTuple):
    """The kind of a request: a read or a create, on a fresh or a kept-alive connection."""

    read: bool
    fresh: bool


def total(settings: LoadSettings) -> float:
    """Return how many requests there will be; infinity without a duration."""
    if settings.duration is None:
        return math.inf
    return math.ceil(settings.duration * settings.rate - 1e-6)  # for the rounding of the product


def kind(number: int, settings: LoadSettings) -> Kind:
    """Return the kind of the request with this number."""
    return Kind(number * _READ % 1 < settings.reads, number * _FRESH % 1 < settings.fresh)


def choice(number: int, size: int) -> int:
    """Return the position, below `size`, that the request with this number uses."""
    return min(int(number * _CHOICE % 1 * size), size - 1)


def backoff(number: int, attempt: int, retry_after: float | None) -> float:
    """Return the seconds before the next try: 0.25 s, doubled each time, at most 5 s.

    Up to half of it is left off, so that requests that failed together do not retry together. The
    answer's Retry-After counts if it is longer, up to the same limit.
    """
    pause = _BACKOFF * 2.0**attempt * (1 - number * _JITTER % 1 / 2)
    return min(max(pause, retry_after or 0.0), _BACKOFF_LIMIT)
