"""Puts the measured tables into docs/scale.md, each between its marks."""

from collections.abc import Iterator
from typing import Final

from bench import marks, paths, scale
from bench.database import LARGE, SMALL
from bench.measure import MAIN_CONNECTIONS
from bench.servers import ORDERS
from bench.summary import Summary
from bench.tables import table

_HEAD: Final = [
    "processes",
    "requests/s",
    "p99 ms",
    "CPU us: service + PostgreSQL",
    "calls a batch",
]
_SIZES: Final = ["half up to", "9 in 10 up to"]
_POSTGRES: Final = ["transactions/s", "WAL bytes a request"]
_FLUSHES: Final = ["WAL flushes/s", "WAL MB/s"]
_TITLES: Final = {"create": "Create", "read": "Read"}


def write(summary: Summary) -> None:
    """Write the table of rows from the benchmarks, and that of processes if it was measured."""
    found = scale.read()
    if found is not None:
        marks.fill(paths.SCALE_PAGE, "processes", "make bench ARGS=scale", processes(found))
    marks.fill(paths.SCALE_PAGE, "rows", "make bench", _rows(summary))


def processes(found: scale.Scale) -> Iterator[str]:
    """A table for each question and number of connections."""
    facts = {**found.machine, "PostgreSQL": found.settings["server_version"]}
    told = ", ".join(f"{name} {value}" for name, value in facts.items())
    when = f" on {found.date}" if found.date else ""
    yield f"Measured{when} for {found.seconds:g} s each, turns: {found.turns}; {told}."
    yield ""
    for question in scale.QUESTIONS:
        for connections in sorted({figure.connections for figure in found.figures}):
            figures = _of(found, question, connections)
            if not figures:
                continue
            counted = all(figure.flushes is not None for figure in figures)
            sizes, flushes = (_SIZES, _FLUSHES) if counted else ([], [])
            head = [*_HEAD, *sizes, *_POSTGRES, *flushes]
            yield f"{_TITLES[question]}, {connections} connections in all:"
            yield ""
            yield from table(
                head, (_row(figure, len(head), counted=counted) for figure in figures)
            )


def _of(found: scale.Scale, question: str, connections: int) -> list[scale.Figure]:
    wanted = (question, connections)
    return [figure for figure in found.figures if (figure.question, figure.connections) == wanted]


def _row(figure: scale.Figure, width: int, *, counted: bool) -> list[str]:
    if figure.errors:
        told = [str(figure.processes), f"void: {figure.errors:,} errors"]
        return told + [""] * (width - len(told))
    sizes = (_bound(figure.batch_half), _bound(figure.batch_most))
    flushes = (figure.flushes or 0.0) * figure.per_second
    return [
        str(figure.processes),
        f"{figure.per_second:,.0f}",
        f"{figure.p99_ms:,.1f}",
        f"{figure.server_us:,.0f} + {figure.database_us:,.0f}",
        f"{figure.batch:,.1f}",
        *(sizes if counted else ()),
        f"{figure.commits * figure.per_second:,.0f}",
        f"{figure.wal:,.0f}",
        *((f"{flushes:,.0f}", f"{figure.wal * figure.per_second / 1e6:,.1f}") if counted else ()),
    ]


def _bound(size: float | None) -> str:
    return "more" if size is None else f"{size:g}"


def _rows(summary: Summary) -> Iterator[str]:
    head = ["rows", "reads/s", "p50 ms", "p99 ms", "CPU us: service + PostgreSQL"]
    rows = []
    for number in (SMALL, LARGE):
        figure = summary.find(ORDERS, "read", MAIN_CONNECTIONS, number)
        if figure is not None:
            rows.append(
                [
                    f"{number:,}",
                    f"{figure.per_second:,.0f}",
                    f"{figure.p50_ms:,.2f}",
                    f"{figure.p99_ms:,.1f}",
                    f"{figure.server_us:,.0f} + {figure.database_us or 0:,.0f}",
                ]
            )
    yield from table(head, rows)
