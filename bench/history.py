"""Measures what each step of the service gained: revisions in turn, each against the one before.

`python -m bench history REV REV=TITLE ...` measures them and keeps the steps in
`docs/benchmarks/history.json`. A step that is measured again replaces its earlier figures; every
other step stays, whatever else is regenerated.
"""

import itertools
from collections.abc import Iterator
from typing import Final

from msgspec import Struct, json

from bench import paths
from bench.database import SMALL
from bench.measure import MAIN_CONNECTIONS, MORE_CONNECTIONS
from bench.results import Load, Results
from bench.revision import Revision
from bench.summary import Figure, figures, ratio
from bench.tables import heading, table

CONNECTIONS: Final = (MAIN_CONNECTIONS, MORE_CONNECTIONS, 1)


class Cell(Struct, frozen=True):
    """One case before and after a step; throughput as a ratio, CPU of server and PostgreSQL."""

    question: str
    connections: int
    throughput: float
    cpu_us: tuple[float, float] | None
    p50_ms: tuple[float, float]
    p99_ms: tuple[float, float]


class Step(Struct, frozen=True):
    """What one revision changed against the one before it, and when it was measured."""

    revision: str
    against: str
    title: str
    date: str
    cells: list[Cell]


def steps(results: Results, revisions: list[Revision]) -> list[Step]:
    """Compare each revision with the one before it; void and missing cases are left out."""
    loads: dict[str, dict[tuple[str, int], list[Load]]] = {}
    for load in results.loads:
        case = (load.question, load.connections)
        loads.setdefault(load.server, {}).setdefault(case, []).append(load)
    found = []
    for old, new in itertools.pairwise(revisions):
        before, after = loads.get(old.name, {}), loads.get(new.name, {})
        cells = [_cell(before[case], after[case]) for case in before if case in after]
        kept = [cell for cell in cells if cell is not None]
        found.append(Step(new.name, old.name, new.subject, results.date, kept))
    return found


def merge(kept: list[Step], new: list[Step]) -> list[Step]:
    """Return the steps that were kept, with new ones in the place of their like or at the end."""
    fresh = {(step.revision, step.against): step for step in new}
    merged = [fresh.pop((step.revision, step.against), step) for step in kept]
    return [*merged, *fresh.values()]


def read() -> list[Step]:
    """Read the steps that are kept."""
    if not paths.HISTORY.exists():
        return []
    return json.decode(paths.HISTORY.read_bytes(), type=list[Step])


def save(found: list[Step]) -> None:
    """Keep steps as indented JSON."""
    paths.HISTORY.write_bytes(json.format(json.encode(found), indent=1) + b"\n")


def section() -> Iterator[str]:
    """What is kept: a table for every case that was measured, a row for each step."""
    kept = read()
    if not kept:
        return
    yield from heading(
        "History",
        "What each step gave against the revision before it, both in turn in one run: throughput "
        "as a ratio; CPU time of server and PostgreSQL for a request, p50 and p99, each before "
        "and after. `python -m bench history` adds steps; those that are here stay.",
    )
    yield from lines(kept)


def lines(kept: list[Step]) -> Iterator[str]:
    """The tables of steps."""
    cases = dict.fromkeys(
        (cell.question, cell.connections) for step in kept for cell in step.cells
    )
    for question, connections in cases:
        yield f"{question.capitalize()}, {connections} connection{'s' if connections > 1 else ''}:"
        yield ""
        head = [
            "step",
            "revision",
            "against",
            "measured",
            "throughput",
            "CPU us",
            "p50 ms",
            "p99 ms",
        ]
        yield from table(head, _rows(kept, question, connections))


def _rows(kept: list[Step], question: str, connections: int) -> Iterator[list[str]]:
    for step in kept:
        for cell in step.cells:
            if (cell.question, cell.connections) == (question, connections):
                yield [
                    step.title,
                    step.revision,
                    step.against,
                    step.date,
                    f"{cell.throughput:.2f}",
                    f"{cell.cpu_us[0]:.1f}, {cell.cpu_us[1]:.1f}" if cell.cpu_us else "",
                    f"{cell.p50_ms[0]:.2f}, {cell.p50_ms[1]:.2f}",
                    f"{cell.p99_ms[0]:.2f}, {cell.p99_ms[1]:.2f}",
                ]


def _cell(before: list[Load], after: list[Load]) -> Cell | None:
    throughput = ratio(after, before)
    if throughput is None:
        return None
    old, new = _one(before), _one(after)
    cpu = None
    if old.cpu_us is not None and new.cpu_us is not None:
        cpu = (round(old.cpu_us, 1), round(new.cpu_us, 1))
    return Cell(
        question=new.question,
        connections=new.connections,
        throughput=throughput,
        cpu_us=cpu,
        p50_ms=(old.p50_ms, new.p50_ms),
        p99_ms=(old.p99_ms, new.p99_ms),
    )


def _one(loads: list[Load]) -> Figure:
    """Return the figure of one server at one case."""
    [figure] = figures([load for load in loads if load.rows == SMALL and not load.idle])
    return figure
