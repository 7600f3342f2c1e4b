"""Loads a server over keep-alive connections, with wrk or, where wrk is missing, the Go command.

Both run one thread's worth of work: the load shares the machine with what it measures. They send
the same requests: orders of varying quantity, and reads that go through 100,000 ids in random
order, so that neither a cache of rows nor a cache of routes can help. `keyed` is `create` with an
Idempotency-Key, a new UUID for each request.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct, json

from bench import paths
from bench.servers import build_go

Question = Literal["create", "keyed", "read", "mix", "livez"]
QUESTIONS: Final[tuple[Question, ...]] = ("create", "keyed", "read", "mix", "livez")
TIMEOUT: Final = 10


class LoadError(Exception):
    """The load generator itself failed, or there is none."""


class Outcome(Struct):
    """The outcome of one load: latency in milliseconds, and the generator's own CPU time."""

    requests: int
    errors: int
    seconds: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    cpu_seconds: float


class Generator(Struct, frozen=True):
    """A load generator that was found."""

    name: str
    program: tuple[str, ...]

    def start(  # noqa: PLR0913  one fact each
        self,
        question: Question,
        port: int,
        connections: int,
        seconds: float,
        ids: Path,
        scheme: str = "http",
        token: str = "",
    ) -> subprocess.Popen[bytes]:
        """Start a load; `outcome` waits for its end and reads its results."""
        url = f"{scheme}://127.0.0.1:{port}"
        if self.name == "wrk":
            tail = ["-t1", f"-c{connections}", f"-d{seconds:g}s", f"--timeout={TIMEOUT}s"]
            tail += ["-s", str(paths.BENCH / "load.lua"), url, "--", question, str(ids), token]
        else:
            tail = [f"-url={url}", f"-connections={connections}", f"-seconds={seconds:g}"]
            tail += [f"-timeout={TIMEOUT}s", f"-question={question}", f"-ids={ids}"]
            tail += [f"-token={token}"]
        return subprocess.Popen([*self.program, *tail], stdout=subprocess.PIPE)


def outcome(process: subprocess.Popen[bytes]) -> Outcome:
    """Wait for a load to end; its last line of output is the outcome."""
    output, _ = process.communicate()
    if process.returncode != 0 or not output.strip():
        msg = f"the load generator ended with code {process.returncode}"
        raise LoadError(msg)
    return json.decode(output.strip().splitlines()[-1], type=Outcome)


def find() -> Generator:
    """Take wrk if it is on the PATH, else build the Go one; raise LoadError if neither can be."""
    wrk = shutil.which("wrk")
    if wrk:
        return Generator("wrk", (wrk,))
    lack = build_go("load")
    if lack:
        msg = f"a load generator is needed: install wrk or Go ({lack})"
        raise LoadError(msg)
    return Generator("bench/peers/go/cmd/load", (str(paths.BINARIES / "load"),))
