"""What is run, and in which order.

For each question and number of connections the servers take turns, A B A B, so that a change in
the machine's mood meets all of them.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial

from msgspec import Struct

from bench.database import LARGE
from bench.load import Question
from bench.measure import MAIN_CONNECTIONS, Bench, Case
from bench.process import ServerError
from bench.results import Load, Results
from bench.servers import Server

Say = Callable[[str], None]


class Plan(Struct, frozen=True):
    """How much is measured; seconds are those of one load, after its warm-up."""

    questions: tuple[Question, ...]
    connections: tuple[int, ...]
    seconds: float
    turns: int
    large: bool
    starts: int
    growth_seconds: float

    def rounds(self) -> Iterator[tuple[int, list[Case]]]:
        """Give each turn's number and cases, which a server gets one after the other.

        64 connections are the main case; 1 and 512 get one turn, for create and read only. The
        large table is read right after the small one, for the ratio of the two is the figure.
        """
        for question in self.questions:
            for connections in self.connections:
                main = connections == MAIN_CONNECTIONS or len(self.connections) == 1
                if not main and question not in {"create", "read"}:
                    continue
                cases = [Case(question, connections)]
                if self.large and question == "read" and connections == MAIN_CONNECTIONS:
                    cases.append(Case(question, connections, LARGE))
                for turn in range(self.turns if main else 1):
                    yield turn, cases


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
        if self._plan.large:
            self._say(f"making the table of {LARGE:,} rows, unless it is there")
            self._bench.database.prepare(LARGE)
        began = time.monotonic()
        left = list(servers)
        for turn, cases in self._plan.rounds():
            self._each(left, partial(self._loads, turn=turn, cases=cases))
        if self._plan.starts:
            self._each(left, self._starts)
        if self._plan.growth_seconds:
            self._each(left, self._growth)
        self._results.minutes = (time.monotonic() - began) / 60

    def _each(self, left: list[Server], measure: Callable[[Server], None]) -> None:
        for server in list(left):
            try:
                measure(server)
            except ServerError as error:
                left.remove(server)
                self._results.left_out.append(f"{error}, and was left out from then on")
                self._say(self._results.left_out[-1])

    def _loads(self, server: Server, turn: int, cases: list[Case]) -> None:
        for case in cases:
            found = self._bench.load(server, case, self._plan.seconds, turn)
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
    return (
        f"{load.question:6} c={load.connections:<3} {load.rows:>10,} rows  {load.server:14} "
        f"{load.per_second:9,.0f}/s  p50 {load.p50_ms:8.2f}  p99 {load.p99_ms:8.2f} ms  "
        f"CPU {load.server_us:7.1f} + {database} us  {load.pss_mib:6.1f} MiB{void}"
    )
