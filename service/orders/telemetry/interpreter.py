"""What Python itself costs: the pauses of its garbage collection, and how late its event loop is.

The lag tells a blocked loop from a slow database.
"""

import asyncio
import gc
import time
from collections.abc import Mapping, MutableMapping
from typing import Final

from orders.telemetry.histogram import Histogram

_GENERATIONS: Final = 3
_PERIOD_SECONDS: Final = 0.5


class Collections:
    """Counts garbage collections, and their seconds, by generation."""

    def __init__(
        self,
        counts: MutableMapping[tuple[str, ...], float],
        seconds: MutableMapping[tuple[str, ...], float],
    ) -> None:
        self._counts = counts
        self._seconds = seconds
        self._started = 0.0
        for generation in range(_GENERATIONS):  # a collection may fall into a scrape
            counts[str(generation),] = seconds[str(generation),] = 0
        gc.callbacks.append(self._collected)

    def close(self) -> None:
        """Stop counting."""
        gc.callbacks.remove(self._collected)

    def _collected(self, phase: str, info: Mapping[str, int]) -> None:
        if phase == "start":
            self._started = time.perf_counter()
            return
        generation = (str(info["generation"]),)
        self._counts[generation] += 1
        self._seconds[generation] += time.perf_counter() - self._started


async def measure_lag(lag: Histogram) -> None:
    """Observe by how much a timer is late, twice a second, without end."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _PERIOD_SECONDS
        await asyncio.sleep(_PERIOD_SECONDS)
        lag.observe(max(0.0, loop.time() - due))
