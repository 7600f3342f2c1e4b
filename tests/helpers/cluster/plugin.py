"""`kubectl orders`, as a person calls it: through kubectl, in a terminal or not."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple, Self

ENVIRON: Final = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


class Said(NamedTuple):
    """How a call ended."""

    status: int
    out: str
    err: str


def orders(*arguments: str, **environ: str) -> Said:
    """Call the plugin."""
    done = subprocess.run(
        ["kubectl", "orders", *arguments],
        env=ENVIRON | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


class Terminal:
    """A call in a terminal of 80 columns."""

    def __init__(self, *arguments: str) -> None:
        self.seen = ""
        self._reads, writes = pty.openpty()
        self._process = subprocess.Popen(
            ["kubectl", "orders", *arguments],
            env=ENVIRON | {"TERM": "xterm", "COLUMNS": "80", "LINES": "40"},
            stdin=writes,
            stdout=writes,
            stderr=writes,
            start_new_session=True,
        )
        os.close(writes)

    def __enter__(self) -> Self:
        """Look at it."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, however it is."""
        self._process.kill()
        self._process.wait()
        os.close(self._reads)

    def until(self, text: str, seconds: float = 20) -> None:
        """Wait for a text on the screen."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            self.seen += os.read(self._reads, 65536).decode(errors="replace")

    def interrupt(self) -> int:
        """Press Ctrl-C, which all of its processes get; return the exit status."""
        os.killpg(self._process.pid, signal.SIGINT)
        return self._process.wait(20)
