"""Signals that come while the process starts."""

import asyncio
import functools
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.helpers.server import Server, eventually

UNSHARE = ("unshare", "--pid", "--fork", "--kill-child")
MOMENTS = ("", "_granian", "psqlpy", "uvloop")
"""What is loaded by then; first nothing but what heeds signals."""


@functools.cache
def first_processes() -> bool:
    """Whether this machine lets us have the first process of a namespace."""
    try:
        return subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


class FirstServer(Server):
    """The service as the first process of a namespace, which has no default for any signal."""

    program = (
        "-c",
        f"""
import os, sys
os.execvp("unshare", [*{UNSHARE}, sys.executable, "-m", "orders", *sys.argv[1:]])
""",
    )

    async def pid(self) -> int:
        """Wait for the process, and return its number here."""
        await eventually(lambda: bool(psutil.Process(self.process.pid).children()))
        return psutil.Process(self.process.pid).children()[0].pid


def told_before(number: int) -> type[Server]:
    """Return the service as one that had a signal, which is blocked, before Python began."""
    told = f"""
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [{number}])
os.kill(os.getpid(), {number})
os.execv(sys.executable, [sys.executable, "-m", "orders", *sys.argv[1:]])
"""
    first = UNSHARE if first_processes() else ("env",)
    run = f"import os, sys; os.execvp({first[0]!r}, [*{first}, sys.executable, '-c', {told!r}"
    return type("ToldServer", (Server,), {"program": ("-c", run + ", *sys.argv[1:]])")})


def heeds(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return bool(int(status.split("SigCgt:")[1].split()[0], 16) >> number - 1 & 1)


@pytest.mark.skipif(sys.platform != "linux", reason="the moments are read off /proc")
@pytest.mark.parametrize("loaded", MOMENTS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_during_the_start_ends_the_process(
    database_url: str, tmp_path: Path, number: signal.Signals, loaded: str
) -> None:
    """Whatever is loaded by then, the first process of a container ends with 0 at once."""
    kind = FirstServer if first_processes() else Server
    server = kind(tmp_path / "serve.log", DATABASE_URL=database_url)
    pid = await server.pid() if isinstance(server, FirstServer) else server.process.pid

    def has_come() -> bool:
        maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
        return heeds(pid, signal.SIGTERM) and loaded in maps

    await eventually(has_come)
    os.kill(pid, number)

    assert 0 == await asyncio.to_thread(server.process.wait, 10), server.output()
    assert "Traceback" not in server.output()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_no_signal_is_lost_that_was_blocked_from_the_start(
    database_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    """Before Python begins nothing has a handler; what is blocked until then waits for one."""
    server = told_before(number)(tmp_path / "serve.log", DATABASE_URL=database_url)

    assert 0 == server.process.wait(15), server.output()


@pytest.mark.skipif(sys.platform != "linux", reason="the moment is read off /proc")
def test_a_migration_that_starts_heeds_a_signal(tmp_path: Path, database_url: str) -> None:
    """Before it has begun it ends as it does later, with 128 and the signal's number."""
    server = Server(tmp_path / "migrate.log", "migrate", DATABASE_URL=database_url)
    while not heeds(server.process.pid, signal.SIGTERM):
        pass
    server.process.send_signal(signal.SIGTERM)

    assert 128 + signal.SIGTERM == server.process.wait(10)
