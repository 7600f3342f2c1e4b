"""The measurements: one load on one server, a cold start, and memory over a longer load.

Each starts the server afresh, warms it up, and reads CPU time just before and after the load.
"""

import contextlib
import statistics
import time
from functools import partial
from typing import Final

from msgspec import Struct

from bench import load, process
from bench.crowd import Crowd
from bench.database import AGED, OLDER, SMALL, Database
from bench.load import Generator, Question
from bench.purging import Purge
from bench.quiet import Watch
from bench.results import Growth, Load, Start
from bench.servers import Server

WARM_UP: Final = 1.0
SAMPLES: Final = 3
MAIN_CONNECTIONS: Final = 64
MORE_CONNECTIONS: Final = 256


class Case(Struct, frozen=True):
    """One case of the bench: a question, a number of connections, and a number of rows.

    `idle` is how many more connections are open meanwhile and ask nothing; with `purging` older
    orders are deleted meanwhile.
    """

    question: Question
    connections: int = MAIN_CONNECTIONS
    rows: int = SMALL
    idle: int = 0
    purging: bool = False

    @property
    def keyed(self) -> bool:
        """Whether each request has an Idempotency-Key of its own."""
        return self.question == "keyed"

    @property
    def older(self) -> int:
        """How many of the rows are for a purge."""
        return OLDER if self.rows == AGED else 0

    @property
    def writes(self) -> bool:
        """Whether the table is another one afterwards."""
        return self.purging or self.question in {"create", "keyed", "mix"}


class Bench(Struct, frozen=True):
    """The parts that every measurement needs: the database and the load generator."""

    database: Database
    generator: Generator

    def load(self, server: Server, case: Case, seconds: float, turn: int) -> Load:
        """Measure one case for `seconds` after a warm-up, its rows as they were at first.

        Of keyed requests each must have stored an order: one that has not was answered as a
        replay, which costs less, and counts as an error. So does a purge that deleted nothing.
        """
        database, generator = self.database, self.generator
        ids = database.prepare(case.rows, server, case.older)
        with contextlib.ExitStack() as stack:
            running = stack.enter_context(process.run(server, database.url(case.rows, server)))
            running.first_order()
            running.check()
            if case.keyed:
                running.check_key()
            stored = database.count(case.rows, server) if case.keyed else 0
            crowd = stack.enter_context(Crowd(running.port, case.idle))
            purge = Purge(database, server, case.rows, case.older) if case.purging else None
            stack.enter_context(purge or contextlib.nullcontext())
            start = partial(
                generator.start, case.question, running.port, case.connections,
                ids=ids, scheme=server.scheme, token=server.token,
            )  # fmt: skip
            warmed = load.outcome(start(seconds=WARM_UP))
            older = purge.left() if purge else 0
            watch = Watch(database.postmaster)
            server_before, database_before = running.cpu_seconds(), self._database_cpu()
            loading = start(seconds=seconds)
            sizes = []
            for _ in range(SAMPLES):
                time.sleep(seconds / (SAMPLES + 1))
                sizes.append(running.pss_mib())
            seen = load.outcome(loading)
            server_cpu = running.cpu_seconds() - server_before
            database_cpu = self._database_cpu() - database_before
            foreign = watch.others()
            purged = older - purge.left() if purge else None
            lost = crowd.lost() + (purged == 0)
        if case.keyed:
            stored = database.count(case.rows, server) - stored
            lost += replays(warmed.requests + seen.requests, stored)
        if case.writes:
            database.written(case.rows, server)
        each = max(seen.requests, 1)
        return Load(
            server=server.name,
            question=case.question,
            connections=case.connections,
            rows=case.rows,
            turn=turn,
            seconds=seen.seconds,
            requests=seen.requests,
            errors=seen.errors + lost,
            per_second=seen.requests / seen.seconds,
            p50_ms=seen.p50_ms,
            p99_ms=seen.p99_ms,
            server_us=server_cpu / each * 1e6,
            database_us=database_cpu / each * 1e6 if database.postmaster else None,
            pss_mib=statistics.median(sizes),
            idle=case.idle,
            p999_ms=seen.p999_ms,
            generator_us=seen.cpu_seconds / each * 1e6,
            foreign=foreign,
            purged=purged,
        )

    def cold_start(self, server: Server, times: int) -> Start:
        """Measure `times` starts, from just before the process is made to the first 201."""
        self.database.prepare(SMALL, server)
        taken = []
        for _ in range(times):
            before = time.perf_counter()
            with process.run(server, self.database.url(SMALL, server)) as running:
                running.first_order()
                taken.append((time.perf_counter() - before) * 1e3)
        return Start(server.name, taken)

    def growth(self, server: Server, seconds: float) -> Growth:
        """Measure memory after a fifth of a mixed load at 64 connections, and at its end."""
        ids = self.database.prepare(SMALL, server)
        with process.run(server, self.database.url(SMALL, server)) as running:
            running.first_order()
            loading = self.generator.start("mix", running.port, MAIN_CONNECTIONS, seconds, ids)
            time.sleep(seconds * 0.2)
            early = running.pss_mib()
            time.sleep(seconds * 0.75)
            late = running.pss_mib()
            seen = load.outcome(loading)
        self.database.written(SMALL, server)
        return Growth(server.name, seen.seconds, seen.requests, early, late)

    def _database_cpu(self) -> float:
        postmaster = self.database.postmaster
        return process.tree_cpu_seconds(postmaster) if postmaster else 0.0


def replays(answered: int, stored: int) -> int:
    """Return how many answers no order was stored for.

    Orders whose answer the generator did not wait for, up to one a connection, hide as many.
    """
    return max(answered - stored, 0)
