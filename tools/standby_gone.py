"""Counts backends while a synchronous standby is away: minutes of requests hold no more of them.

    .venv/bin/python -m tools.standby_gone [SECONDS]

Starts a PostgreSQL that waits for a standby which is not there, and the service. Callers create
orders all the time, with keys, without, and many at once; none is answered with 201. Each line is
half a minute: how many backends `pg_stat_activity` had, the answers, the memory that is the
process' own and its descriptors. It fails if there ever was a backend more for a connection than
the old one beside the new one, if they grow, or if one is left after the service has ended. The
short form of this is a test (`tests/service/integration/test_leaks.py`).
"""

import argparse
import asyncio
import contextlib
import itertools
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

import httpx
import psutil

from tests.helpers.absent_standby import standby_gone
from tests.helpers.postgres import PostgresServer
from tests.helpers.server import Server, eventually
from tests.service.integration.test_leaks import CONNECTIONS, ORDER, WRITING, backends

_CALLERS: Final = 16
_TURN: Final = 30.0
_MIB: Final = 1024 * 1024


def main() -> int:
    """Count backends; return 1 if there were too many."""
    parser = argparse.ArgumentParser(description="Count backends while a standby is away.")
    parser.add_argument("seconds", nargs="?", type=float, default=600)
    seconds = parser.parse_args().seconds
    postgres = PostgresServer()
    postgres.start()
    try:
        with tempfile.TemporaryDirectory(prefix="orders-standby-") as folder:
            return asyncio.run(_count(postgres, Path(folder) / "serve.log", seconds))
    finally:
        postgres.remove()


async def _count(postgres: PostgresServer, log: Path, seconds: float) -> int:
    url = postgres.migrated_database()
    server = Server(log, DATABASE_URL=url, REQUEST_TIMEOUT="1", LOG_LEVEL="ERROR")
    await asyncio.to_thread(server.wait_for)
    answers: Counter[int] = Counter()
    counts: list[int] = []
    async with standby_gone(url):
        callers = [asyncio.create_task(_call(server.url, n, answers)) for n in range(_CALLERS)]
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            counts += await _turn(postgres, url, server, min(left, _TURN), answers)
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        early = postgres.backend_pids(url)
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:

        async def taken() -> bool:
            return (await client.post("/orders", json=ORDER)).status_code == httpx.codes.CREATED

        started = time.monotonic()
        await eventually(taken)
        print(
            f"{len(early)} backends at the end; 201 again after {time.monotonic() - started:.1f} s"
        )
    status = server.stop()
    with contextlib.suppress(TimeoutError):
        await eventually(lambda: not postgres.backend_pids(url), within=1)
    behind = len(postgres.backend_pids(url))
    half = len(counts) // 2
    means = [sum(part) / len(part) for part in (counts[:half], counts[half:])]
    print(f"backends: {_shares(counts)}; on average {means[0]:.2f}, then {means[1]:.2f}")
    print(f"ended with {status}, {behind} backends left")
    grown = means[1] > means[0] + 1 or max(counts) > CONNECTIONS + WRITING
    return int(grown or bool(behind) or bool(status) or httpx.codes.CREATED in answers)


async def _turn(
    postgres: PostgresServer, url: str, server: Server, seconds: float, answers: Counter[int]
) -> list[int]:
    """Count for a while, five times a second, and print the counts."""
    counts: list[int] = []
    before = answers.copy()
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        counts.append(await backends(postgres, url))
        await asyncio.sleep(0.2)
    process = psutil.Process(server.process.pid)
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        ready = await client.get("/readyz?verbose")
    failed = [line for line in ready.text.splitlines() if not line.startswith("[+]")]
    print(
        f"backends {_shares(counts)}; answers {dict(answers - before)};"
        f" {process.memory_full_info().uss / _MIB:.1f} MiB, {process.num_fds()} descriptors;"
        f" {ready.status_code} {failed[0]}",
        flush=True,
    )
    return counts


async def _call(url: str, number: int, answers: Counter[int]) -> None:
    """Create orders one after the other: every second caller uses keys, and one sends batches."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        for n in itertools.count():
            if number == 0:
                answer = await client.post("/orders/batch", json=[ORDER, ORDER])
            else:
                headers = {"Idempotency-Key": f'"{number} {n // 3}"'} if number % 2 else {}
                answer = await client.post("/orders", json=ORDER, headers=headers)
            answers[answer.status_code] += 1


def _shares(counts: list[int]) -> str:
    """Return how often each number was counted."""
    return ", ".join(
        f"{n} ({times / len(counts):.0%})" for n, times in sorted(Counter(counts).items())
    )


if __name__ == "__main__":
    sys.exit(main())
