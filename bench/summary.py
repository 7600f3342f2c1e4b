"""Condenses raw results to what the report shows; `docs/benchmarks.json` holds the summary.

A figure is the median of its turns, and its spread the range of their throughput, as a part of
the figure. A ratio compares the same turn of two servers and is the geometric mean over the turns.
One void turn makes the figure void. A field with a default is missing in summaries of older runs.
"""

import statistics
from collections.abc import Callable, Iterable
from functools import partial
from operator import attrgetter
from pathlib import Path

from msgspec import Struct, field, json

from bench.database import SMALL
from bench.results import Growth, Load, Results
from bench.servers import BASELINE, FASTAPI, FIBER, OBSERVED, ORDERS
from bench.variants import VARIANTS

Key = tuple[str, int, int, int, bool]
"""A case: question, connections, rows, idle connections, and whether a purge runs beside."""


class Figure(Struct, frozen=True):
    """One server at one question, number of connections and rows; units as in `results.Load`.

    `to_plain` and `cpu_to_plain` compare a variant of this service, or a load beside a purge, with
    the service at its defaults and without a purge: throughput, and CPU time of a request.
    """

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
    idle: int = 0
    p999_ms: float | None = None
    generator_us: float | None = None
    spread: float | None = None
    to_observed: float | None = None
    to_baseline: float | None = None
    purged: float | None = None
    to_plain: float | None = None
    cpu_to_plain: float | None = None

    @property
    def cpu_us(self) -> float | None:
        """CPU time of server and PostgreSQL for each request."""
        return None if self.database_us is None else self.server_us + self.database_us


class Summary(Struct, frozen=True):
    """All that the report is made of.

    `busy_before`, `busy_during` (the median of the loads) and `busiest` (the most of any) are the
    share of the machine's CPU that others used.
    """

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
    date: str = ""
    revision: str = ""
    busy_before: float | None = None
    busy_during: float | None = None
    busiest: float | None = None
    trials: list[Figure] = field(default_factory=list)
    tuned: str = ""

    @property
    def compared(self) -> list[str]:
        """The servers in their order, without those that only show what a setting costs."""
        return [server for server in self.titles if server not in VARIANTS]

    def cells(
        self,
        question: str,
        connections: int,
        rows: int = SMALL,
        idle: int = 0,
        *,
        purging: bool = False,
    ) -> list[Figure]:
        """Return the figures of all servers for one case, those that are void too."""
        wanted = (question, connections, rows, idle, purging)
        return [figure for figure in self.figures if _key(figure) == wanted]

    def find(  # noqa: PLR0913  one fact each
        self,
        server: str,
        question: str,
        connections: int,
        rows: int = SMALL,
        idle: int = 0,
        *,
        purging: bool = False,
    ) -> Figure | None:
        """Return the figure of one cell; None if it was not measured or is void."""
        for figure in self.cells(question, connections, rows, idle, purging=purging):
            if figure.server == server:
                return None if figure.errors else figure
        return None


def condense(results: Results) -> Summary:
    """Make the summary of a run."""
    shares = [load.foreign for load in results.loads if load.foreign is not None]
    return Summary(
        machine=results.machine,
        versions=results.versions,
        settings=results.settings,
        generator=results.generator,
        command=results.command,
        minutes=round(results.minutes, 1),
        titles=results.titles,
        left_out=results.left_out,
        figures=figures(results.loads),
        first_order_ms={s.server: _median(s.first_order_ms) for s in results.starts},
        growths=[_rounded(growth) for growth in results.growths],
        date=results.date,
        revision=results.revision,
        busy_before=results.busy_before,
        busy_during=_median(shares) if shares else None,
        busiest=round(max(shares), 3) if shares else None,
        trials=figures(results.trials),
        tuned=results.tuned,
    )


def figures(loads: Iterable[Load]) -> list[Figure]:
    """Make one figure of all turns of a server at the same case."""
    cells: dict[tuple[str, Key], list[Load]] = {}
    for load in loads:
        cells.setdefault((load.server, _key(load)), []).append(load)

    def of(server: str, key: Key) -> list[Load]:
        return cells.get((server, key), [])

    def plain(server: str, key: Key) -> list[Load]:
        question, connections, rows, idle, purging = key
        case = (question, connections, rows, idle, False)
        return of(ORDERS, case) if purging or server in VARIANTS else []

    return [
        _figure(mine, partial(of, key=key), plain(server, key))
        for (server, key), mine in cells.items()
    ]


def ratio(
    loads: list[Load],
    others: list[Load],
    of: Callable[[Load], float | None] = attrgetter("per_second"),
) -> float | None:
    """Return a value of loads, throughput unless told, to that of others in the same turns.

    None if any load is void or lacks it.
    """
    pairs = [(load, other) for load in loads for other in others if load.turn == other.turn]
    if not pairs or any(load.void or other.void for load, other in pairs):
        return None
    values = [(of(load), of(other)) for load, other in pairs]
    ratios = [mine / theirs for mine, theirs in values if mine and theirs]
    return round(statistics.geometric_mean(ratios), 3) if len(ratios) == len(pairs) else None


def spread(values: list[float]) -> float | None:
    """Return the range of values as a part of their median, None for less than two."""
    middle = statistics.median(values) if len(values) > 1 else 0.0
    return round((max(values) - min(values)) / middle, 4) if middle else None


def save(summary: Summary, file: Path) -> None:
    """Write a summary as indented JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(json.format(json.encode(summary), indent=1) + b"\n")


def load(file: Path) -> Summary:
    """Read what `save` wrote."""
    return json.decode(file.read_bytes(), type=Summary)


def _key(of: Load | Figure) -> Key:
    return of.question, of.connections, of.rows, of.idle, of.purged is not None


def _figure(loads: list[Load], others: Callable[[str], list[Load]], plain: list[Load]) -> Figure:
    def middle(of: Callable[[Load], float]) -> float:
        return _median(of(load) for load in loads)

    def known(of: Callable[[Load], float | None]) -> float | None:
        values = [value for load in loads if (value := of(load)) is not None]
        return _median(values) if values else None

    first = loads[0]
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
        database_us=known(lambda load: load.database_us),
        pss_mib=middle(lambda load: load.pss_mib),
        to_fiber=ratio(loads, others(FIBER)),
        to_fastapi=ratio(loads, others(FASTAPI)),
        idle=first.idle,
        p999_ms=known(lambda load: load.p999_ms),
        generator_us=known(lambda load: load.generator_us),
        spread=spread([load.per_second for load in loads]),
        to_observed=ratio(loads, others(OBSERVED)),
        to_baseline=ratio(loads, others(BASELINE)),
        purged=known(lambda load: load.purged),
        to_plain=ratio(loads, plain),
        cpu_to_plain=ratio(loads, plain, attrgetter("cpu_us")),
    )


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
