"""The runs of the bench, and their order.

For each question and number of connections the servers take turns, A B A B, so that a change in
the machine's speed affects all of them.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial

from msgspec import Struct, structs

from bench import tuning
from bench.crowd import IDLE, MANY
from bench.database import AGED, LARGE
from bench.load import Question
from bench.measure import MAIN_CONNECTIONS, MORE_CONNECTIONS, Bench, Case
from bench.process import ServerError
from bench.results import Load, Results
from bench.servers import BASELINE, FIBER, ORDERS, Server
from bench.variants import VARIANTS

Say = Callable[[str], None]


class Part(StrEnum):
    """A part of a run, which can be asked for alone."""

    TUNING = "tuning"
    LOADS = "loads"
    ROWS = "rows"
    CROWD = "crowd"
    PURGE = "purge"
    STARTS = "starts"
    MEMORY = "memory"
    SCALE = "scale"


class Round(Struct, frozen=True):
    """One turn: the cases that each server gets one after the other.

    `few` is for what only this service, its baseline and bare Fiber are asked, `own` for what no
    peer can do, `alone` for what no older revision can either; `variants` adds this service with
    what costs.
    """

    turn: int
    cases: list[Case]
    few: bool = False
    own: bool = False
    alone: bool = False
    variants: bool = False

    def takes(self, server: Server) -> bool:
        """Whether a server takes part."""
        if server.name in VARIANTS:
            return self.variants
        if self.alone:
            return server.name == ORDERS
        if self.own:
            return server.kind == "orders"
        return not self.few or server.name in {ORDERS, BASELINE, FIBER}


class Plan(Struct, frozen=True):
    """How much is measured; seconds are those of one load, after its warm-up."""

    questions: tuple[Question, ...]
    connections: tuple[int, ...]
    seconds: float
    turns: int
    parts: frozenset[Part]
    variants: tuple[str, ...] = VARIANTS
    starts: int = 5
    growth_seconds: float = 15

    def rounds(self) -> Iterator[Round]:
        """Give every turn of the loads, in order.

        64 and 256 connections are the main cases and get every turn, others one less. What creates
        or reads is asked with all of them, creating with keys with the main ones, the rest with
        64. The large table is read right after the small one, for the ratio of the two is the
        figure.
        """
        if Part.LOADS in self.parts:
            for question in self.questions:
                for connections in self.connections:
                    yield from self._rounds(question, connections)

    def crowds(self) -> Iterator[Round]:
        """Give the turns with many connections, and with many that are idle."""
        for question in self._both() if Part.CROWD in self.parts else ():
            yield Round(0, [Case(question, MANY)], few=True)
            yield Round(0, [Case(question, idle=IDLE)], few=True)

    def purges(self) -> Iterator[Round]:
        """Give the turns beside a purge, each right after the same without one."""
        for question in self._both() if Part.PURGE in self.parts else ():
            for turn in range(max(self.turns - 1, 1)):
                plain = Case(question, rows=AGED)
                yield Round(turn, [plain, structs.replace(plain, purging=True)], alone=True)

    def _rounds(self, question: Question, connections: int) -> Iterator[Round]:
        first = connections == MAIN_CONNECTIONS or len(self.connections) == 1
        both, own = question in self._both(), question == "keyed"
        main = first or connections == MORE_CONNECTIONS
        if not (both or (own and main) or first):
            return
        full = main and (both or own)
        large = Part.ROWS in self.parts and question == "read" and connections == MAIN_CONNECTIONS
        for turn in range(self.turns if full else max(self.turns - 1, 1)):
            cases = [Case(question, connections)]
            if large and turn < max(self.turns - 1, 1):
                cases.append(Case(question, connections, LARGE))
            variants = both and connections == MAIN_CONNECTIONS
            yield Round(turn, cases, own=own, variants=variants)

    def _both(self) -> list[Question]:
        return [question for question in self.questions if question in {"create", "read"}]


class Session:
    """Carries out a plan into results, and says each figure as soon as it is known."""

    def __init__(self, plan: Plan, bench: Bench, results: Results, say: Say) -> None:
        """`say` is given one line of text at a time."""
        self._plan = plan
        self._bench = bench
        self._results = results
        self._say = say

    def run(self, servers: list[Server]) -> None:
        """Measure everything; a server that fails is left out from then on."""
        parts = self._plan.parts
        if Part.ROWS in parts:
            self._say(f"making the table of {LARGE:,} rows, unless it is there")
            self._bench.database.prepare(LARGE)
        left = self._tuned(servers) if Part.TUNING in parts else list(servers)
        for each in self._plan.rounds():
            self._each(left, partial(self._loads, each))
        compared = [server for server in left if server.name not in VARIANTS]
        if Part.STARTS in parts:
            self._each(compared, self._starts)
        if Part.MEMORY in parts:
            self._each(compared, self._growth)
        for each in (*self._plan.crowds(), *self._plan.purges()):
            self._each(compared, partial(self._loads, each))

    def _tuned(self, servers: list[Server]) -> list[Server]:
        """Try the settings of Go peers; return the servers with the fastest ones."""
        if not any(server.kind == "go" for server in servers):
            return list(servers)
        trials = tuning.trials()
        for case in (Case("create"), Case("read")):
            self._each(trials, partial(self._trial, case))
        self._results.tuned = tuning.fastest(self._results.trials)
        self._say(f"Go peers run with: {self._results.tuned}")
        return [tuning.tune(server, self._results.tuned) for server in servers]

    def _trial(self, case: Case, server: Server) -> None:
        found = self._bench.load(server, case, self._plan.seconds, 0)
        self._results.trials.append(found)
        self._say(line(found))

    def _each(self, left: list[Server], measure: Callable[[Server], None]) -> None:
        for server in list(left):
            try:
                measure(server)
            except ServerError as error:
                left.remove(server)
                self._results.left_out.append(f"{error}, and was left out from then on")
                self._say(self._results.left_out[-1])

    def _loads(self, each: Round, server: Server) -> None:
        for case in each.cases if each.takes(server) else ():
            if case.rows >= LARGE and (server.schema or server.name in VARIANTS):
                continue  # the large table is of this schema, and for the service as it is
            found = self._bench.load(server, case, self._plan.seconds, each.turn)
            self._results.loads.append(found)
            self._say(line(found))

    def _starts(self, server: Server) -> None:
        found = self._bench.cold_start(server, self._plan.starts)
        self._results.starts.append(found)
        taken = ", ".join(f"{ms:.0f}" for ms in found.first_order_ms)
        self._say(f"{server.name}: first order after {taken} ms")

    def _growth(self, server: Server) -> None:
        found = self._bench.growth(server, self._plan.growth_seconds)
        self._results.growths.append(found)
        self._say(f"{server.name}: {found.early_mib:.1f} to {found.late_mib:.1f} MiB under load")


def line(load: Load) -> str:
    """One load as one line of text."""
    database = "      -" if load.database_us is None else f"{load.database_us:7.1f}"
    void = f"  VOID, {load.errors} errors" if load.void else ""
    idle = f" + {load.idle:,} idle" if load.idle else ""
    purged = "" if load.purged is None else f"  {load.purged:,} purged"
    others = "" if load.foreign is None else f"  others {load.foreign:.0%}"
    return (
        f"{load.question:6} c={load.connections:<4}{idle} {load.rows:>10,} rows  {load.server:14} "
        f"{load.per_second:9,.0f}/s  p50 {load.p50_ms:8.2f}  p99 {load.p99_ms:8.2f} ms  "
        f"CPU {load.server_us:7.1f} + {database} us  {load.pss_mib:6.1f} MiB{others}{purged}{void}"
    )
