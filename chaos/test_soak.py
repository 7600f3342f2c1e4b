"""A long load: memory and descriptors do not grow."""

import time
from statistics import linear_regression
from typing import Final

from chaos.conftest import Serve, Try
from chaos.metrics import descriptors, memory
from chaos.shop import Shop
from chaos.sizes import Size

MEGABYTES: Final = 2.0
"""How much the resident memory of a pod may grow in an hour."""
CLOSED: Final = 30.0
"""Seconds in which the connections of a load that ended are closed."""
HOUR: Final = 3600.0
EVERY: Final = 5.0
"""Seconds between two looks."""


def test_memory_and_descriptors_do_not_grow(serve: Serve, size: Size, attempt: Try) -> None:
    """A line through the memory after a warm-up rises by less than the bound.

    Descriptors are counted without callers, before and after, as each caller's connection is one.
    The short form is too short for an hour's growth: there the bound is on what it grew meanwhile.
    """
    pods = 2
    shop = serve("soaked", replicas=pods)
    idle = max(descriptors(shop) for _ in range(3))
    with attempt("soak") as it, shop.load(it) as load:
        load.go_on(size.warm_up)
        began = it.mark("the warm-up is over")
        times, megabytes = [], []
        while time.time() - began < size.soak:
            times.append(time.time() - began)
            megabytes.append(memory(shop) / pods)
            load.go_on(EVERY)
        per_second = linear_regression(times, megabytes).slope
        length = HOUR if size.soak >= 600 else times[-1]
        what = "memory of a pod" if length == HOUR else f"memory of a pod, in {length:.0f} s"
        unit = "MB an hour" if length == HOUR else "MB"
        it.at_most(f"{what}, growth by a fitted line", per_second * length, MEGABYTES, unit)
        it.note(f"A pod had {megabytes[0]:.1f} MB at first, {megabytes[-1]:.1f} MB at the end.")
        it.none("requests failed", load.stop().failed)
        it.mark("the load has ended")
        it.none("descriptors that stayed open", left(shop, idle))


def left(shop: Shop, idle: float) -> int:
    """Return how many more descriptors are open than without a load, once connections closed."""
    ends = time.monotonic() + CLOSED
    found = descriptors(shop)
    while found > idle and time.monotonic() < ends:
        time.sleep(1)
        found = descriptors(shop)
    return max(0, round(found - idle))
