"""Puts the measured table into README.md."""

from collections.abc import Iterator
from typing import Final

from bench import apart, marks, paths
from bench.measure import MAIN_CONNECTIONS, MORE_CONNECTIONS
from bench.servers import BASELINE
from bench.summary import Figure, Summary
from bench.tables import paragraph, strong, table

_NUMBERS: Final = (MAIN_CONNECTIONS, MORE_CONNECTIONS)


def write(summary: Summary) -> None:
    """Replace the table."""
    marks.fill(paths.README, "figures", "make bench", lines(summary))


def lines(summary: Summary) -> Iterator[str]:
    """The table at those numbers of connections that were measured, and what stands beside it."""
    numbers = [number for number in _NUMBERS if summary.cells("create", number)]
    head = [""]
    for number in numbers:
        head += [f"POST/s, {number}", f"GET/s, {number}", f"p99 ms, {number}"]
    other = apart.read()
    rows = [*_rows(summary, numbers), *([_apart(other, numbers)] if other else [])]
    yield from table([*head, "memory MiB", "first order ms"], rows)
    beside = ""
    if other:
        link = f"[measured apart](docs/benchmarks.md#{apart.ANCHOR})"
        beside = f" {other.name} was {link}: compare it with what this service did there."
    told = f"At {' and '.join(map(str, numbers))} connections; p99 of POST, then of GET.{beside}"
    yield from paragraph(told)


def _rows(summary: Summary, numbers: list[int]) -> Iterator[list[str]]:
    for server in summary.compared:
        if server == BASELINE:
            continue
        found = [
            summary.find(server, question, number)
            for number in numbers
            for question in ("create", "read")
        ]
        if not any(found):
            continue
        cells = []
        for create, read in zip(found[::2], found[1::2], strict=True):
            cells += [_speed(create), _speed(read)]
            cells.append(", ".join(f"{it.p99_ms:,.1f}" if it else "-" for it in (create, read)))
        memory = max(figure.pss_mib for figure in found if figure)
        start = summary.first_order_ms.get(server)
        first = "" if start is None else f"{start:,.0f}"
        yield [strong(summary, server), *cells, f"{memory:.0f}", first]


def _apart(other: apart.Apart, numbers: list[int]) -> list[str]:
    row = other.rows[0]
    cells = apart.loads(row, numbers)
    return [f"{row.title}, measured apart", *cells, apart.between(row.pss_mb), ""]


def _speed(figure: Figure | None) -> str:
    return "" if figure is None else f"{figure.per_second:,.0f}"
