"""The figures the service must reach, each with what was measured for it.

Ratios to a peer are of throughput. CPU time depends on the processor, so what a request may take
is a part of what it took at the revision that the targets were set for, in the same run.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from bench.crowd import IDLE, MANY
from bench.database import AGED, LARGE, SMALL
from bench.guarding import GUARDED
from bench.hooking import HOOKED
from bench.measure import MAIN_CONNECTIONS, MORE_CONNECTIONS
from bench.servers import BASELINE, FIBER, ORDERS
from bench.summary import Figure, Summary
from bench.tracing import RATIO, TRACED

SET_FOR: Final = "542cde1"
"""The revision whose CPU time the targets are parts of: `--against` must have named it."""

_NAMES: Final = {"create": "POST", "read": "GET"}
_MOST: Final = 512


class Target(Struct, frozen=True):
    """One target; `measured` is None if the run lacks the figures for it."""

    name: str
    unit: str
    least: float
    aim: float
    measured: float | None
    higher_is_better: bool = False

    @property
    def verdict(self) -> str:
        """The aim or the least that is met, or by how much the least is missed."""
        if self.measured is None:
            return "not measured"
        if self._reaches(self.aim):
            return "aim met" if self.aim != self.least else "met"
        if self._reaches(self.least):
            return "met"
        if not self.least:
            return "missed"
        return f"missed by {abs(self.measured / self.least - 1):.1%}"

    def _reaches(self, bound: float) -> bool:
        if self.measured is None:
            return False
        return self.measured >= bound if self.higher_is_better else self.measured <= bound


def targets(summary: Summary) -> Iterator[Target]:
    """Every target, in the order in which they are shown."""
    yield from _ratios(summary)
    yield from _cpu(summary)
    yield from _latency(summary)
    yield from _resources(summary)
    yield from _crowds(summary)
    yield from _variants(summary)
    yield from _purge(summary)


def _ratios(summary: Summary) -> Iterator[Target]:
    bare = (
        ("create", 64, 1.7, 1.9),
        ("read", 64, 1.0, 1.1),
        ("create", 256, 2.6, 3.0),
        ("read", 256, 1.45, 1.6),
        ("create", 512, 2.6, 3.0),
        ("read", 512, 1.45, 1.6),
    )
    for question, connections, least, aim in bare:
        figure = summary.find(ORDERS, question, connections)
        title = f"{_NAMES[question]}, {connections} connections, ratio to Fiber + pgx bare"
        yield Target(
            title, "", least, aim, figure.to_fiber if figure else None, higher_is_better=True
        )
    for question, least, aim in (("create", 2.1, 2.4), ("read", 1.25, 1.4)):
        figure = summary.find(ORDERS, question, MAIN_CONNECTIONS)
        title = f"{_NAMES[question]}, 64 connections, ratio to Fiber + pgx observed"
        yield Target(
            title, "", least, aim, figure.to_observed if figure else None, higher_is_better=True
        )
    for question, name in _NAMES.items():
        figure = summary.find(ORDERS, question, MAIN_CONNECTIONS)
        title = f"{name}, 64 connections, ratio to the FastAPI stack"
        yield Target(
            title, "", 25, 40, figure.to_fastapi if figure else None, higher_is_better=True
        )


def _cpu(summary: Summary) -> Iterator[Target]:
    compared = f" at {SET_FOR}" in summary.titles.get(BASELINE, "")
    for question, connections, now, least, aim in (
        ("create", 64, 67, 50, 43),
        ("read", 64, 46, 34, 31),
        ("create", 256, 58, 38, 34),
        ("read", 256, 40, 27, 24),
    ):
        ours = summary.find(ORDERS, question, connections)
        theirs = summary.find(BASELINE, question, connections) if compared else None
        part = _part(ours, theirs, "cpu_us")
        title = f"CPU per {_NAMES[question]}, {connections} connections, part of {SET_FOR}'s"
        yield Target(title, "", round(least / now, 2), round(aim / now, 2), part)
    for connections in (MAIN_CONNECTIONS, MORE_CONNECTIONS):
        ours = summary.find(ORDERS, "keyed", connections)
        theirs = summary.find(BASELINE, "keyed", connections) if compared else None
        title = f"CPU per POST with a key, {connections} connections, part of {SET_FOR}'s"
        yield Target(title, "", 1.05, 1.05, _part(ours, theirs, "cpu_us"))


def _latency(summary: Summary) -> Iterator[Target]:
    for question, name in _NAMES.items():
        part = _part(
            summary.find(ORDERS, question, MAIN_CONNECTIONS),
            summary.find(FIBER, question, MAIN_CONNECTIONS),
            "p99_ms",
        )
        yield Target(f"{name}, 64 connections, p99, part of Fiber's", "", 0.7, 0.6, part)
    for question, least, aim in (("create", 0.70, 0.54), ("read", 0.30, 0.25)):
        alone = summary.find(ORDERS, question, 1)
        title = f"{_NAMES[question]}, p50 with one connection"
        yield Target(title, "ms", least, aim, alone.p50_ms if alone else None)
    large = summary.find(ORDERS, "read", MAIN_CONNECTIONS, LARGE)
    small = summary.find(ORDERS, "read", MAIN_CONNECTIONS)
    slower = _part(large, small, "p50_ms")
    yield Target(f"GET, p50 at {LARGE:,} rows, part of that at {SMALL:,}", "", 1.2, 1.1, slower)


def _resources(summary: Summary) -> Iterator[Target]:
    main = [summary.find(ORDERS, question, MAIN_CONNECTIONS) for question in _NAMES]
    sizes = [figure.pss_mib for figure in main if figure]
    yield Target("memory (PSS) under load", "MiB", 50, 45, max(sizes, default=None))
    start = summary.first_order_ms.get(ORDERS)
    yield Target("start to first served order", "ms", 150, 120, start)
    yield Target(f"errors at {_MOST} connections", "", 0, 0, _errors(summary, _MOST))
    large = _errors(summary, MAIN_CONNECTIONS, LARGE)
    yield Target(f"errors at {LARGE:,} rows", "", 0, 0, large)


def _crowds(summary: Summary) -> Iterator[Target]:
    yield Target(f"errors at {MANY:,} connections", "", 0, 0, _errors(summary, MANY))
    for question, name in _NAMES.items():
        # A closed load waits in proportion to its connections, so that much more is no loss.
        part = _part(
            summary.find(ORDERS, question, MANY), summary.find(ORDERS, question, _MOST), "p99_ms"
        )
        fair = None if part is None else part * _MOST / MANY
        title = f"{name}, p99 for each of {MANY:,} connections, part of that at {_MOST}"
        yield Target(title, "", 1.5, 1.5, fair)
    idle = _errors(summary, MAIN_CONNECTIONS, idle=IDLE)
    yield Target(f"errors at 64 connections beside {IDLE:,} idle ones", "", 0, 0, idle)
    for question, name in _NAMES.items():
        part = _part(
            summary.find(ORDERS, question, MAIN_CONNECTIONS, idle=IDLE),
            summary.find(ORDERS, question, MAIN_CONNECTIONS),
            "p99_ms",
        )
        title = f"{name}, p99 beside {IDLE:,} idle connections, part of that without"
        yield Target(title, "", 1.5, 1.5, part)


def _variants(summary: Summary) -> Iterator[Target]:
    for server, what in (
        (TRACED, f"with {RATIO:.0%} of requests traced"),
        (GUARDED, "with a token on every request"),
        (HOOKED, "with hooks that do nothing"),
    ):
        for question, name in _NAMES.items():
            part = _part(
                summary.find(server, question, MAIN_CONNECTIONS),
                summary.find(ORDERS, question, MAIN_CONNECTIONS),
                "per_second",
            )
            title = f"{name}, speed {what}, part of that without"
            yield Target(title, "", 0.9, 0.95, part, higher_is_better=True)


def _purge(summary: Summary) -> Iterator[Target]:
    for question, name in _NAMES.items():
        plain = summary.find(ORDERS, question, MAIN_CONNECTIONS, AGED)
        beside = summary.find(ORDERS, question, MAIN_CONNECTIONS, AGED, purging=True)
        speed = _part(beside, plain, "per_second")
        title = f"{name}, speed beside a purge, part of that without"
        yield Target(title, "", 0.9, 0.95, speed, higher_is_better=True)
        title = f"{name}, p99 beside a purge, part of that without"
        yield Target(title, "", 1.5, 1.2, _part(beside, plain, "p99_ms"))


def _part(figure: Figure | None, of: Figure | None, field: str) -> float | None:
    """Return a field of one figure as a part of the other's, None where one lacks it."""
    ours = getattr(figure, field) if figure else None
    theirs = getattr(of, field) if of else None
    return float(ours / theirs) if ours is not None and theirs else None


def _errors(summary: Summary, connections: int, rows: int = SMALL, idle: int = 0) -> float | None:
    found = [
        figure.errors
        for question in _NAMES
        for figure in summary.cells(question, connections, rows, idle)
        if figure.server == ORDERS
    ]
    return sum(found) if found else None
