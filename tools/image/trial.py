"""Runs the image's commands, and records what they did and what they imported.

They run twice: with everything installed, and with the image's content.
"""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.image.plan import Run

_HOOK = Path(__file__).with_name("hook")
_LIMIT = 30.0
_POLL = 0.05


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    command: list[str]
    status: int
    answers: list[int]


def watch(folder: Path, runs: Iterable[Run]) -> tuple[list[Outcome], set[str]]:
    """Run commands of a `bin` folder; return also the modules that they tried to import."""
    with tempfile.TemporaryDirectory() as place:
        log = Path(place, "imports")
        environ = {"IMPORT_LOG": str(log), "PYTHONPATH": str(_HOOK)}
        outcomes = [_run([folder / run.command[0]], run, environ) for run in runs]
        return outcomes, set(log.read_text("utf-8").split())


def repeat(python: Path, folder: Path, runs: Iterable[Run], **environ: str) -> list[Outcome]:
    """Run the commands of another `bin` folder with another interpreter."""
    safe = {"PYTHONSAFEPATH": "1"} | environ
    return [_run([python, folder / run.command[0]], run, safe) for run in runs]


def _run(program: list[Path], run: Run, environ: dict[str, str]) -> Outcome:
    ports = {variable: str(_free_port()) for variable in run.ports}
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [*program, *run.command[1:]],
            env=os.environ | environ | run.environ | ports,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        ) as process,
    ):
        try:
            answers = [_ask(request.format_map(ports), process) for request in run.requests]
            if run.requests:
                process.send_signal(signal.SIGTERM)
            return Outcome(run.command, process.wait(_LIMIT), answers)
        except RuntimeError as error:
            said.seek(0)
            error.add_note(said.read().decode(errors="replace"))
            raise
        finally:
            process.kill()


def _free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


def _ask(request: str, process: "subprocess.Popen[bytes]") -> int:
    """Send a request until there is an answer; return its status."""
    method, url = request.split()
    deadline = time.monotonic() + _LIMIT
    while process.poll() is None and time.monotonic() < deadline:
        try:
            asked = urllib.request.Request(url, method=method)  # noqa: S310
            with contextlib.closing(urllib.request.urlopen(asked)) as answer:  # noqa: S310
                answer.read()
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            time.sleep(_POLL)
    raise RuntimeError(f"no answer to {request}")
