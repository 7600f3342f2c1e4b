"""Condenses raw results to what the report shows; this is what `docs/benchmarks.json` holds.

A figure is the median of its turns. A ratio compares the same turn of two servers and is the
geometric mean over the turns. One void turn makes the figure void.
"""

import statistics
from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec import Struct, field, json

from bench.results import Growth, Load, Results
from bench.servers import FASTAPI, FIBER

Key = tuple[str, int, int]


class Figure(Struct, frozen=True):
    """One server at one question, number of connections and rows; units as in `results.Load`."""

    server: str
    question: str
    connections: int
    rows: int
    turns: int
    errors: int
    per_second: float
    p50_ms: float
    p99_ms: float
    server_us: float
    database_us: float | None
    pss_mib: float
    to_fiber: float | None
    to_fastapi: float | None

    @property
    def cpu_us(self) -> float | None:
        """CPU time of server and PostgreSQL for each request."""
        return None if self.database_us is None else self.server_us + self.database_us


class Summary(Struct, frozen=True):
    """All that the report is made of."""

    machine: dict[str, str]
    versions: dict[str, str]
    settings: dict[str, str]
    generator: str
    command: str
    minutes: float
    titles: dict[str, str]
    left_out: list[str]
    figures: list[Figure]
    first_order_ms: dict[str, float]
    growths: list[Growth] = field(default_factory=list)

    def find(self, server: str, question: str, connections: int, rows: int) -> Figure | None:
        """Return the figure of one cell, None where it was not measured or is void."""
        wanted = (server, question, connections, rows)
        for figure in self.figures:
            if (figure.server, figure.question, figure.connections, figure.rows) == wanted:
                return None if figure.errors else figure
        return None


def condense(results: Results) -> Summary:
    """Make the summary of a run."""
    cells: dict[tuple[str, Key], list[Load]] = {}
    for load in results.loads:
        key = (load.question, load.connections, load.rows)
        cells.setdefault((load.server, key), []).append(load)
    figures = [
        _figure(loads, cells.get((FIBER, key), []), cells.get((FASTAPI, key), []))
        for (_, key), loads in cells.items()
    ]
    return Summary(
        machine=results.machine,
        versions=results.versions,
        settings=results.settings,
        generator=results.generator,
        command=results.command,
        minutes=round(results.minutes, 1),
        titles=results.titles,
        left_out=results.left_out,
        figures=figures,
        first_order_ms={s.server: _median(s.first_order_ms) for s in results.starts},
        growths=[_rounded(growth) for growth in results.growths],
    )


def save(summary: Summary, file: Path) -> None:
    """Write a summary as indented JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(json.format(json.encode(summary), indent=1) + b"\n")


def load(file: Path) -> Summary:
    """Read what `save` wrote."""
    return json.decode(file.read_bytes(), type=Summary)


def _figure(loads: list[Load], fiber: list[Load], fastapi: list[Load]) -> Figure:
    def middle(of: Callable[[Load], float]) -> float:
        return _median(of(load) for load in loads)

    first = loads[0]
    database = [load.database_us for load in loads if load.database_us is not None]
    return Figure(
        server=first.server,
        question=first.question,
        connections=first.connections,
        rows=first.rows,
        turns=len(loads),
        errors=sum(load.errors or load.void for load in loads),
        per_second=middle(lambda load: load.per_second),
        p50_ms=middle(lambda load: load.p50_ms),
        p99_ms=middle(lambda load: load.p99_ms),
        server_us=middle(lambda load: load.server_us),
        database_us=_median(database) if database else None,
        pss_mib=middle(lambda load: load.pss_mib),
        to_fiber=_ratio(loads, fiber),
        to_fastapi=_ratio(loads, fastapi),
    )


def _ratio(loads: list[Load], others: list[Load]) -> float | None:
    pairs = [(load, other) for load in loads for other in others if load.turn == other.turn]
    if not pairs or any(load.void or other.void for load, other in pairs):
        return None
    ratios = [load.per_second / other.per_second for load, other in pairs]
    return round(statistics.geometric_mean(ratios), 3)


def _median(values: Iterable[float]) -> float:
    return round(statistics.median(values), 3)


def _rounded(growth: Growth) -> Growth:
    return Growth(
        growth.server,
        round(growth.seconds, 1),
        growth.requests,
        round(growth.early_mib, 1),
        round(growth.late_mib, 1),
    )
