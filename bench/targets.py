"""The figures the service must reach, each with what was measured for it.

Ratios to a peer are of throughput at 64 connections; everything else is the service's own.
"""

from collections.abc import Iterator

from msgspec import Struct

from bench.database import LARGE, SMALL
from bench.servers import FIBER, ORDERS
from bench.summary import Figure, Summary


class Target(Struct, frozen=True):
    """One target; `measured` is None where the run had not what it needs."""

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

    def ours(question: str, connections: int = 64, rows: int = SMALL) -> Figure | None:
        return summary.find(ORDERS, question, connections, rows)

    create, read = ours("create"), ours("read")
    for name, figure, least, aim in (("POST", create, 1.7, 2.5), ("GET", read, 1.4, 2.0)):
        ratio = figure.to_fiber if figure else None
        title = f"{name}, ratio to Fiber + pgx bare"
        yield Target(title, "", least, aim, ratio, higher_is_better=True)
    for name, figure in (("POST", create), ("GET", read)):
        ratio = figure.to_fastapi if figure else None
        title = f"{name}, ratio to the FastAPI stack"
        yield Target(title, "", 25, 40, ratio, higher_is_better=True)
    for name, question, figure in (("POST", "create", create), ("GET", "read", read)):
        theirs = summary.find(FIBER, question, 64, SMALL)
        part = figure.p99_ms / theirs.p99_ms if figure and theirs else None
        yield Target(f"{name}, p99 at 64 connections, part of Fiber's", "", 1.0, 0.5, part)
    for name, question, least, aim in (("POST", "create", 0.6, 0.5), ("GET", "read", 0.4, 0.35)):
        alone = ours(question, 1)
        yield Target(
            f"{name}, p50 with one connection", "ms", least, aim, alone.p50_ms if alone else None
        )
    for name, figure, least, aim in (("POST", create, 90, 45), ("GET", read, 50, 30)):
        cpu = figure.cpu_us if figure else None
        yield Target(f"CPU per {name}, server + PostgreSQL", "us", least, aim, cpu)
    sizes = [figure.pss_mib for figure in (create, read) if figure]
    yield Target("memory (PSS) under load", "MiB", 60, 39, max(sizes, default=None))
    start = summary.first_order_ms.get(ORDERS)
    yield Target("start to first served order", "ms", 600, 150, start)
    yield Target("errors at 512 connections", "", 0, 0, _errors(summary, 512, SMALL))
    yield Target(f"errors at {LARGE:,} rows", "", 0, 0, _errors(summary, 64, LARGE))
    large = ours("read", 64, LARGE)
    slower = large.p50_ms / read.p50_ms if large and read else None
    yield Target(f"GET, p50 at {LARGE:,} rows, part of that at {SMALL:,}", "", 1.2, 1.2, slower)


def _errors(summary: Summary, connections: int, rows: int) -> float | None:
    found = [
        figure.errors
        for figure in summary.figures
        if (figure.server, figure.connections, figure.rows) == (ORDERS, connections, rows)
    ]
    return sum(found) if found else None
