"""Several processes of this service on one PostgreSQL, under one load that is divided among them.

The same connections are spread over more processes, which shows what more processes cost: smaller
batches, hence more commits, for the same orders. PostgreSQL's counters are read before the
processes start and after they have ended, because a backend reports late; they are shown per
request.
"""

import contextlib
import statistics
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct, json, structs

from bench import load, machine, paths, process
from bench.batches import Batches
from bench.database import SMALL, Database
from bench.load import Generator, Question
from bench.measure import MAIN_CONNECTIONS, MORE_CONNECTIONS, WARM_UP, Bench, Case
from bench.quiet import Watch
from bench.servers import BY_NAME, ORDERS, Server

PROCESSES: Final = (1, 2, 4)
CONNECTIONS: Final = (MAIN_CONNECTIONS, MORE_CONNECTIONS)
QUESTIONS: Final[dict[Question, str]] = {"create": "insert", "read": "select"}
"""The questions, and the names of their batches in the metrics."""
_COUNTED: Final = """
SELECT xact_commit + xact_rollback, (SELECT wal_bytes FROM pg_stat_wal), ({flushes})
FROM pg_stat_database WHERE datname = current_database()
"""
_FLUSHES: Final = "SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal'"
_FLUSHES_BEFORE_18: Final = "SELECT wal_sync FROM pg_stat_wal"
_VERSION_18: Final = 180_000


class Figure(Struct, frozen=True):
    """One load on a number of processes; CPU in us and write-ahead log in bytes per request.

    `batch` is the mean number of calls that shared a batch; half of the batches had up to
    `batch_half`, nine in ten up to `batch_most` (bounds of the histogram's buckets). `commits` and
    `flushes` are PostgreSQL's transactions and flushes of its log for each request.
    """

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
    connections: int = MAIN_CONNECTIONS
    batch_half: float | None = None
    batch_most: float | None = None
    flushes: float | None = None
    foreign: float | None = None


class Scale(Struct, frozen=True):
    """All that was measured, and on what."""

    machine: dict[str, str]
    settings: dict[str, str]
    seconds: float
    turns: int
    figures: list[Figure]
    date: str = ""
    busy_before: float | None = None


def measure(
    database: Database,
    generator: Generator,
    seconds: float,
    turns: int,
    say: Callable[[str], None],
) -> Scale:
    """Measure each question and number of connections on each number of processes, in turns."""
    figures = []
    for question, connections in ((q, number) for q in QUESTIONS for number in CONNECTIONS):
        taken: dict[int, list[Figure]] = {number: [] for number in PROCESSES}
        for _ in range(turns):
            for number in PROCESSES:
                case = Case(question, connections)
                figure = _turn(Bench(database, generator), case, number, seconds)
                taken[number].append(figure)
                say(
                    f"{question:6} c={connections:<4} {number} processes  "
                    f"{figure.per_second:9,.0f}/s  batches of {figure.batch:.1f}"
                )
        figures += [_median(each) for each in taken.values()]
    return Scale(machine.describe(), database.settings(), seconds, turns, figures)


def foreign(found: Scale) -> list[float]:
    """Return which shares of the machine's CPU others used, where that is known."""
    return [figure.foreign for figure in found.figures if figure.foreign is not None]


def save(found: Scale) -> None:
    """Write the figures as indented JSON."""
    paths.SCALE.write_bytes(json.format(json.encode(found), indent=1) + b"\n")


def read() -> Scale | None:
    """Read what `save` wrote, if it has."""
    return json.decode(paths.SCALE.read_bytes(), type=Scale) if paths.SCALE.exists() else None


def _turn(bench: Bench, case: Case, number: int, seconds: float) -> Figure:
    database, question = bench.database, case.question

    def ask(running: list[process.Running], duration: float) -> list[load.Outcome]:
        """Load all of them at the same time, each over its part of the connections."""
        part = case.connections // number
        loading = [
            bench.generator.start(question, each.port, part, duration, ids) for each in running
        ]
        return [load.outcome(each) for each in loading]

    ids = database.prepare(SMALL)
    before = _counted(database)
    with _processes(database.url(SMALL), number) as running:
        sent = sum(each.requests for each in ask(running, WARM_UP))
        watch = Watch(database.postmaster)
        server, postgres = _cpu(running), _cpu_of(database)
        seen = ask(running, seconds)
        server, postgres = _cpu(running) - server, _cpu_of(database) - postgres
        others = watch.others()
        batches = Batches.of(running, QUESTIONS[question])
    counted = zip(_counted(database), before, strict=True)
    commits, wal, flushes = (after - was for after, was in counted)
    if case.writes:
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
        batch=batches.mean,
        commits=commits / (requests + sent),
        wal=wal / (requests + sent),
        connections=case.connections,
        batch_half=batches.quantile(0.5),
        batch_most=batches.quantile(0.9),
        flushes=flushes / (requests + sent),
        foreign=others,
    )


@contextlib.contextmanager
def _processes(url: str, number: int) -> Iterator[list[process.Running]]:
    """Run a number of processes, each of which has created an order."""
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(process.run(_server(n), url)) for n in range(number)]
        for each in running:
            each.first_order()
        yield running


def _server(number: int) -> Server:
    """Return the service under a name of its own, so that its log is its own."""
    return structs.replace(BY_NAME[ORDERS], name=f"{ORDERS}-{number + 1}")


def _cpu(running: list[process.Running]) -> float:
    return sum(each.cpu_seconds() for each in running)


def _cpu_of(database: Database) -> float:
    return process.tree_cpu_seconds(database.postmaster) if database.postmaster else 0.0


def _counted(database: Database) -> list[int]:
    """Return the database's transactions, and the server's bytes and flushes of its log."""
    new = int(database.sql(SMALL, "SHOW server_version_num")) >= _VERSION_18
    asked = _COUNTED.format(flushes=_FLUSHES if new else _FLUSHES_BEFORE_18)
    return [int(value) for value in database.sql(SMALL, asked).strip().split("|")]


def _median(figures: list[Figure]) -> Figure:
    """Return the median of each figure over the turns; errors are added."""
    first = figures[0]
    middle = {
        name: _middle([getattr(figure, name) for figure in figures])
        for name in Figure.__struct_fields__
        if name not in {"question", "processes", "errors", "connections"}
    }
    return structs.replace(first, errors=sum(figure.errors for figure in figures), **middle)


def _middle(values: list[float | None]) -> float | None:
    """Return the median; None if a value is unknown."""
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 3) if len(known) == len(values) else None
