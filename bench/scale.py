"""Several processes of this service on one PostgreSQL, under one load that is divided among them.

The same 64 connections are spread over more processes, so what more of them cost is seen: smaller
batches, hence more commits, for the same orders. What PostgreSQL counts, it counts from before the
processes start to after they ended, as a backend reports late; it is shown for each request.
"""

import contextlib
import re
import statistics
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct, json, structs

from bench import load, machine, places, process
from bench.database import SMALL, Database
from bench.load import Generator, Question
from bench.measure import MAIN_CONNECTIONS, WARM_UP
from bench.servers import BY_NAME, ORDERS, Server

PROCESSES: Final = (1, 2, 4)
QUESTIONS: Final[dict[Question, str]] = {"create": "insert", "read": "select"}
"""What is asked, and what its batches are called in the metrics."""
_COUNTED: Final = """
SELECT xact_commit + xact_rollback, (SELECT wal_bytes FROM pg_stat_wal)
FROM pg_stat_database WHERE datname = current_database()
"""


class Figure(Struct, frozen=True):
    """One load on so many processes; CPU in us and the write-ahead log in bytes a request."""

    question: str
    processes: int
    errors: int
    per_second: float
    p99_ms: float
    server_us: float
    database_us: float
    batch: float
    commits: float
    wal: float


class Scale(Struct, frozen=True):
    """All that was measured, and on what."""

    machine: dict[str, str]
    settings: dict[str, str]
    seconds: float
    turns: int
    figures: list[Figure]


def measure(
    database: Database,
    generator: Generator,
    seconds: float,
    turns: int,
    say: Callable[[str], None],
) -> Scale:
    """Measure each question on each number of processes, which take turns."""
    figures = []
    for question in QUESTIONS:
        taken: dict[int, list[Figure]] = {number: [] for number in PROCESSES}
        for _ in range(turns):
            for number in PROCESSES:
                figure = _turn(database, generator, question, number, seconds)
                taken[number].append(figure)
                say(f"{question:6} {number} processes  {figure.per_second:9,.0f}/s")
        figures += [_median(each) for each in taken.values()]
    return Scale(machine.describe(), database.settings(), seconds, turns, figures)


def save(found: Scale) -> None:
    """Write the figures as indented JSON."""
    places.SCALE.write_bytes(json.format(json.encode(found), indent=1) + b"\n")


def read() -> Scale | None:
    """Read what `save` wrote, if it has."""
    return json.decode(places.SCALE.read_bytes(), type=Scale) if places.SCALE.exists() else None


def _turn(
    database: Database, generator: Generator, question: Question, number: int, seconds: float
) -> Figure:
    ids = database.prepare(SMALL)
    before = _counted(database)
    with _processes(database.url(SMALL), number) as running:
        sent = sum(each.requests for each in _load(generator, question, running, WARM_UP, ids))
        server, postgres = _cpu(running), _cpu_of(database)
        seen = _load(generator, question, running, seconds, ids)
        server, postgres = _cpu(running) - server, _cpu_of(database) - postgres
        batch = _batch(running, QUESTIONS[question])
    commits, wal = (after - was for after, was in zip(_counted(database), before, strict=True))
    if question == "create":
        database.written(SMALL)
    requests = sum(each.requests for each in seen)
    return Figure(
        question=question,
        processes=number,
        errors=sum(each.errors for each in seen),
        per_second=sum(each.requests / each.seconds for each in seen),
        p99_ms=max(each.p99_ms for each in seen),
        server_us=server / requests * 1e6,
        database_us=postgres / requests * 1e6,
        batch=batch,
        commits=commits / (requests + sent),
        wal=wal / (requests + sent),
    )


@contextlib.contextmanager
def _processes(url: str, number: int) -> Iterator[list[process.Running]]:
    """Run so many processes, each of which has taken an order."""
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(process.run(_server(n), url)) for n in range(number)]
        for each in running:
            each.first_order()
        yield running


def _server(number: int) -> Server:
    """Return the service under a name of its own, so that its log is its own."""
    return structs.replace(BY_NAME[ORDERS], name=f"{ORDERS}-{number + 1}")


def _load(
    generator: Generator,
    question: Question,
    running: list[process.Running],
    seconds: float,
    ids: Path,
) -> list[load.Outcome]:
    """Load all of them at the same time, each over its part of the connections."""
    connections = MAIN_CONNECTIONS // len(running)
    loading = [generator.start(question, each.port, connections, seconds, ids) for each in running]
    return [load.outcome(each) for each in loading]


def _cpu(running: list[process.Running]) -> float:
    return sum(each.cpu_seconds() for each in running)


def _cpu_of(database: Database) -> float:
    return process.tree_cpu_seconds(database.postmaster) if database.postmaster else 0.0


def _counted(database: Database) -> list[int]:
    """Return the transactions of the database, and the server's bytes of write-ahead log."""
    return [int(value) for value in database.sql(SMALL, _COUNTED).strip().split("|")]


def _batch(running: list[process.Running], operation: str) -> float:
    """Return how many calls shared a batch, on average over all processes."""
    totals = {"sum": 0.0, "count": 0.0}
    for each in running:
        with urllib.request.urlopen(f"http://127.0.0.1:{each.metrics_port}/metrics") as answer:
            text = answer.read().decode()
        for part in totals:
            found = re.search(rf'orders_batch_size_{part}{{operation="{operation}"}} (\S+)', text)
            totals[part] += float(found[1]) if found else 0.0
    return totals["sum"] / totals["count"]


def _median(figures: list[Figure]) -> Figure:
    """Return the median of each figure over the turns; errors are added."""
    first = figures[0]
    middle = {
        name: round(statistics.median(getattr(figure, name) for figure in figures), 3)
        for name in Figure.__struct_fields__
        if name not in {"question", "processes", "errors"}
    }
    return structs.replace(first, errors=sum(figure.errors for figure in figures), **middle)
