"""A long load: memory and descriptors stay where they are."""

import time
from statistics import linear_regression, median
from typing import Final

from tests.chaos.conftest import Serve, Try
from tests.chaos.metrics import descriptors, memory
from tests.chaos.sizes import Size

MEGABYTES: Final = 2.0
"""How much the resident memory of a pod may grow in an hour."""
CONNECTIONS: Final = 4.0
"""Descriptors by which the load's own connections to a pod may differ."""
HOUR: Final = 3600.0
EVERY: Final = 5.0
"""Seconds between two looks."""


def test_memory_and_descriptors_do_not_grow(serve: Serve, size: Size, attempt: Try) -> None:
    """A line through what was seen after a warm-up rises by less than the bound.

    The short form is too short for an hour's growth: there the bound is on what it grew meanwhile.
    """
    pods = 2
    shop = serve("soaked", replicas=pods)
    with attempt("soak") as it, shop.load(it) as load:
        load.go_on(size.warm_up)
        began = it.mark("the warm-up is over")
        times, megabytes, files = [], [], []
        while time.time() - began < size.soak:
            times.append(time.time() - began)
            megabytes.append(memory(shop) / pods)
            files.append(descriptors(shop) / pods)
            load.go_on(EVERY)
        per_second = linear_regression(times, megabytes).slope
        length = HOUR if size.soak >= 600 else times[-1]
        what = "memory of a pod" if length == HOUR else f"memory of a pod, in {length:.0f} s"
        unit = "MB an hour" if length == HOUR else "MB"
        it.at_most(f"{what}, growth by a fitted line", per_second * length, MEGABYTES, unit)
        third = len(files) // 3
        it.at_most(
            "descriptors of a pod, median of the last third to that of the first",
            median(files[-third:]) - median(files[:third]),
            CONNECTIONS,
            "",
        )
        it.note(
            f"A pod had {megabytes[0]:.1f} MB and {files[0]:.0f} descriptors at first,"
            f" {megabytes[-1]:.1f} MB and {files[-1]:.0f} at the end."
        )
        it.none("requests failed", load.stop().failed)
