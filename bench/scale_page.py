"""Puts the measured tables into docs/scale.md, each between its marks."""

from collections.abc import Iterable, Iterator
from typing import Final

from bench import marks, places, scale
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
    "transactions/s",
    "WAL bytes a request",
]
_TITLES: Final = {"create": "Create", "read": "Read"}


def write(summary: Summary) -> None:
    """Write the table of rows from the benchmarks, and that of processes if it was measured."""
    found = scale.read()
    if found is not None:
        marks.fill(places.SCALE_PAGE, "processes", "make bench ARGS=scale", _processes(found))
    marks.fill(places.SCALE_PAGE, "rows", "make bench", _rows(summary))


def _processes(found: scale.Scale) -> Iterator[str]:
    facts = {**found.machine, "PostgreSQL": found.settings["server_version"]}
    told = ", ".join(f"{name} {value}" for name, value in facts.items())
    yield f"Measured for {found.seconds:g} s each, turns: {found.turns}; {told}."
    yield ""
    for question in scale.QUESTIONS:
        yield f"{_TITLES[question]}, {MAIN_CONNECTIONS} connections in all:"
        yield ""
        yield from table(_HEAD, map(_row, _of(found, question)))


def _of(found: scale.Scale, question: str) -> Iterable[scale.Figure]:
    return (figure for figure in found.figures if figure.question == question)


def _row(figure: scale.Figure) -> list[str]:
    if figure.errors:
        return [str(figure.processes), f"void: {figure.errors:,} errors", *[""] * 5]
    return [
        str(figure.processes),
        f"{figure.per_second:,.0f}",
        f"{figure.p99_ms:,.1f}",
        f"{figure.server_us:,.0f} + {figure.database_us:,.0f}",
        f"{figure.batch:,.1f}",
        f"{figure.commits * figure.per_second:,.0f}",
        f"{figure.wal:,.0f}",
    ]


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
