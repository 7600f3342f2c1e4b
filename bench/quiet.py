"""Checks that the machine is quiet: how much CPU others use, and when that is too much.

Others are all processes that neither the bench nor its PostgreSQL started, and a hypervisor that
gives the CPU away (steal). Figures of a busy machine are shown, never published.
"""

import time
from typing import Final

import psutil

from bench.process import tree_cpu_seconds
from bench.results import Results

BEFORE_SECONDS: Final = 5.0
MOST_BEFORE: Final = 0.05
MOST_DURING: Final = 0.10
_OFTEN: Final = 0.1
"""The share of loads in which others may have used more."""


class Busy(Exception):
    """Figures may not be published; the message says why and what to do."""


class Watch:
    """Measures, from when it is made, the share of the machine's CPU that others used."""

    def __init__(self, postmaster: psutil.Process | None) -> None:
        """`postmaster` is the root of PostgreSQL's processes, where they run on this machine."""
        self._roots = [psutil.Process(), *([postmaster] if postmaster else [])]
        self._busy, self._all = _machine()
        self._own = tree_cpu_seconds(*self._roots)

    def others(self) -> float:
        """Return the share since the start, 0 to 1 of all cores."""
        busy, total = _machine()
        return share(
            busy - self._busy, tree_cpu_seconds(*self._roots) - self._own, total - self._all
        )


def share(busy: float, own: float, total: float) -> float:
    """Return the part of `total` CPU seconds that others used, if `busy` were used in all."""
    return min(max(busy - own, 0.0) / total, 1.0) if total else 0.0


def before() -> float:
    """Watch the machine for a few seconds in which the bench does nothing."""
    watch = Watch(None)
    time.sleep(BEFORE_SECONDS)
    return round(watch.others(), 4)


def check_before(others: float) -> None:
    """Raise Busy if a run that begins now could not be published."""
    if others > MOST_BEFORE:
        raise Busy(
            f"The machine is busy: other processes use {others:.0%} of its CPU, and figures are "
            f"published up to {MOST_BEFORE:.0%} only. End them and try again, or measure with "
            "--no-publish, which writes no page."
        )


def check_during(shares: list[float]) -> None:
    """Raise Busy if others used too much during too many of the loads."""
    busy = [each for each in shares if each > MOST_DURING]
    if len(busy) > _OFTEN * len(shares):
        raise Busy(
            f"Not published, for the machine was busy: in {len(busy)} of {len(shares)} loads "
            f"other processes used more than {MOST_DURING:.0%} of its CPU, {max(busy):.0%} at "
            "most. One load in ten may be like that. Run it again on an idle machine."
        )


def check(results: Results) -> None:
    """Raise Busy if results are of a busy machine; those of runs that did not watch pass."""
    if results.busy_before is not None and results.busy_before > MOST_BEFORE:
        raise Busy(
            "Not published, for the machine was busy before the run: other processes used "
            f"{results.busy_before:.0%} of its CPU, and {MOST_BEFORE:.0%} is the most."
        )
    check_during([load.foreign for load in results.loads if load.foreign is not None])


def _machine() -> tuple[float, float]:
    """CPU seconds that processes used or that were stolen, and all that passed, on all cores.

    Time in interrupts is nobody's: most of it is the traffic of the load itself.
    """
    times = psutil.cpu_times()
    busy = times.user + times.nice + times.system + times.steal
    return busy, busy + times.irq + times.softirq + times.idle + times.iowait
