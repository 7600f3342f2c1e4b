"""Measures how late the event loop is, which tells a blocked loop from a slow database."""

import asyncio
from typing import Final

from orders.telemetry.histogram import Histogram

PERIOD_SECONDS: Final = 0.5


async def measure_lag(lag: Histogram) -> None:
    """Observe by how much a timer is late, twice a second, without end."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + PERIOD_SECONDS
        await asyncio.sleep(PERIOD_SECONDS)
        lag.observe(max(0.0, loop.time() - due))
