"""Figures measured once, apart from `make bench`, of servers that cannot be peers in it.

`docs/benchmarks/apart.json` holds the figures, kept by hand with how they were taken; each is a
range over the turns. The first row is the one that is shown beside the peers.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct, json

from bench import paths
from bench.tables import heading, table

Range = tuple[float, float]

ANCHOR: Final = "measured-apart"


class Row(Struct, frozen=True):
    """One server; throughput and p99 by the number of connections, CPU in us at 64."""

    title: str
    post: dict[str, Range]
    get: dict[str, Range]
    post_p99_ms: dict[str, Range]
    get_p99_ms: dict[str, Range]
    post_cpu_us: Range
    get_cpu_us: Range
    pss_mb: Range


class Apart(Struct, frozen=True):
    """A server measured apart: its figures, the reason, when and how."""

    name: str
    date: str
    why: str
    setting: str
    rows: list[Row]


def read() -> Apart | None:
    """Read the figures, if there are any."""
    if not paths.APART.exists():
        return None
    return json.decode(paths.APART.read_bytes(), type=Apart)


def between(of: Range | None, digits: int = 0) -> str:
    """Return a range as text; one number if both ends are the same."""
    if of is None:
        return ""
    low, high = (f"{value:,.{0 if value.is_integer() else digits}f}" for value in of)
    return low if low == high else f"{low} to {high}"


def loads(row: Row, numbers: list[int]) -> list[str]:
    """Return POST/s, GET/s and the p99 of both at each number of connections."""
    cells = []
    for number in map(str, numbers):
        cells += [between(row.post.get(number)), between(row.get.get(number))]
        p99 = (row.post_p99_ms.get(number), row.get_p99_ms.get(number))
        cells.append(", ".join(between(each, 1) for each in p99))
    return cells


def section() -> Iterator[str]:
    """The figures beside what the same run gave for this service and for Fiber."""
    found = read()
    if found is None:
        return
    yield from heading(
        "Measured apart",
        f"{found.name}, {found.date}; `make bench` does not measure it again. {found.why} "
        f"{found.setting} Compare within this table only.",
    )
    numbers = sorted({int(number) for row in found.rows for number in row.post})
    head = [f"{what}, {number}" for number in numbers for what in ("POST/s", "GET/s", "p99 ms")]
    tail = ["CPU us, POST, GET, 64", "PSS MB"]
    yield from table(["", *head, *tail], (_cells(row, numbers) for row in found.rows))


def _cells(row: Row, numbers: list[int]) -> list[str]:
    cpu = f"{between(row.post_cpu_us)}, {between(row.get_cpu_us)}"
    return [row.title, *loads(row, numbers), cpu, between(row.pss_mb)]
