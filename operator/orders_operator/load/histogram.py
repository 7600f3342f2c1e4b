"""Durations in log-linear buckets, so that percentiles are cheap and at most 1 in 32 too high.

Each power of two of microseconds has 32 buckets of equal width, as in HdrHistogram. Only buckets
that were hit exist: a second of requests takes a few dozen. A percentile is the upper end of its
bucket, so it is never better than what was measured.
"""

import math
from typing import Final

_LINEAR_BITS: Final = 5
_LINEAR: Final = 1 << _LINEAR_BITS
_MICROSECONDS: Final = 1_000_000


class Histogram:
    """Counts by bucket."""

    __slots__ = ("_buckets", "count", "max")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self.count = 0
        self.max = 0.0
        """The longest duration, exactly; 0 while there is none."""

    def observe(self, seconds: float) -> None:
        """Count one duration; a negative one, as from a clock's rounding, counts as 0."""
        bucket = _bucket(max(int(seconds * _MICROSECONDS), 0))
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        self.count += 1
        self.max = max(self.max, seconds)

    def quantile(self, share: float) -> float:
        """Return the seconds that this share of the durations do not exceed; 0 while empty."""
        rank = max(math.ceil(share * self.count), 1)
        for bucket in sorted(self._buckets):
            rank -= self._buckets[bucket]
            if rank <= 0:
                return min(_upper_end(bucket), self.max)
        return 0.0


def _bucket(microseconds: int) -> int:
    shift = max(microseconds.bit_length() - _LINEAR_BITS - 1, 0)
    return shift * _LINEAR + (microseconds >> shift)


def _upper_end(bucket: int) -> float:
    shift = max(bucket // _LINEAR - 1, 0)
    return ((bucket - shift * _LINEAR + 1) << shift) / _MICROSECONDS
