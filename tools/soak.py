"""Soaks the service: millions of requests over its hot path, and what of them is left in memory.

    .venv/bin/python -m tools.soak [REQUESTS]

Starts a PostgreSQL and the service, asks in turns for what the path can do, over many connections
at once, and has callers leave in the middle. Each line is a turn: its kind, requests a second, and
the memory that is the process' own. At the end it fails if memory grew by more than a few bytes a
request. The short form of this is a test (`tests/service/integration/test_hot_path.py`).
"""

import argparse
import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from orders.embedded import EmbeddedPostgres
from tests.helpers.ports import free_port
from tests.helpers.raw_http import leave
from tests.helpers.server import Server
from tests.service.integration.test_hot_path import (
    CHUNKED,
    CREATE,
    READ,
    UNKNOWN,
    answers,
    created,
)

_TURN = 50_000
_CONNECTIONS = 64
_LEAVING = 200
"""How many callers leave in each turn."""
_GROWTH = 16.0
"""The bytes by which memory may grow for a request; one leaked cycle takes thousands."""
_MIB = 1024 * 1024


def main() -> int:
    """Soak; return 1 if memory grew."""
    parser = argparse.ArgumentParser(description="Soak the service, and watch its memory.")
    parser.add_argument("requests", nargs="?", type=int, default=10_000_000)
    total = parser.parse_args().requests
    with tempfile.TemporaryDirectory(prefix="orders-soak-") as name:
        folder = Path(name)
        postgres = EmbeddedPostgres(folder / "postgres", port=free_port())
        postgres.start()
        try:
            return _soak(folder, postgres.url("postgres"), total)
        finally:
            postgres.stop("immediate")


def _soak(folder: Path, url: str, total: int) -> int:
    subprocess.run(
        [sys.executable, "-m", "orders", "migrate"], env={"DATABASE_URL": url}, check=True
    )
    server = Server(folder / "serve.log", DATABASE_URL=url, LOG_LEVEL="WARNING")
    server.wait_for()
    try:
        return _turns(server, total)
    finally:
        print("ended with", server.stop())


def _turns(server: Server, total: int) -> int:
    key = b"\r\nIdempotency-Key: the-same\r\n\r\n"
    kinds = {
        "read": READ % created(server).encode(),
        "create": CREATE,
        "create, chunked": CHUNKED,
        "create, with a key": CREATE.replace(b"\r\n\r\n", key, 1),
        "read what is not there": READ % UNKNOWN.encode(),
    }
    process = psutil.Process(server.process.pid)
    least: list[int] = []  # of each round, as memory goes up and down within one
    done = 0
    while done < total:
        sizes = []
        for kind, request in kinds.items():
            started = time.perf_counter()
            _ask(server.port, request, _TURN // _CONNECTIONS)
            rate = _TURN / (time.perf_counter() - started)
            for _ in range(_LEAVING):
                leave(server.port, request[:-3], rudely=True)
            done += _TURN
            sizes.append(process.memory_full_info().uss)
            print(f"{done:>12,} {kind:24} {rate:8,.0f}/s {sizes[-1] / _MIB:7.1f} MiB", flush=True)
        least.append(min(sizes))
    warm = least[len(least) // 4]
    grown = (least[-1] - warm) / max(1, total * 3 // 4)
    print(f"memory grew by {grown:+.2f} bytes for a request")
    return int(grown > _GROWTH)


def _ask(port: int, request: bytes, rounds: int) -> None:
    """Send the same request on every connection, so many times."""
    with contextlib.ExitStack() as stack:
        callers = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 60))
            for _ in range(_CONNECTIONS)
        ]
        for _ in range(rounds):
            for caller in callers:
                caller.sendall(request)
            for caller in callers:
                answers(caller, 1)


if __name__ == "__main__":
    sys.exit(main())
