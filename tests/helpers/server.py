"""The real service, as a process of its own on ports of its own."""

import asyncio
import inspect
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from tests.helpers.ports import free_port

START_LIMIT = 20.0
STOP_LIMIT = 20.0

_POLL = 0.01
_INHERITED = "PATH", "HOME", "TMPDIR", "LANG"
_COVERAGE = "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"


_started: list[subprocess.Popen[bytes]] = []


def end_all() -> None:
    """Kill the servers that still run, which tests that failed did not stop."""
    for process in _started:
        if process.poll() is None:
            process.kill()
            process.wait()


class Server:
    """`orders COMMAND` with an environment; what it prints is in `log`."""

    program: tuple[str, ...] = ("-m", "orders")
    """What Python runs."""
    covered = True
    """Whether it says which lines ran, where the tests ask; that takes some MiB of memory."""

    def __init__(self, log: Path, command: str = "serve", **environ: str) -> None:
        """Start the process; `wait_for` says when it serves."""
        self.port = int(environ.get("HTTP_PORT") or free_port())
        self.metrics_port = int(environ.get("METRICS_PORT") or free_port())
        scheme = "https" if "TLS_CERT_FILE" in environ else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.metrics_url = f"http://127.0.0.1:{self.metrics_port}"
        self.log = log
        inherited = _INHERITED + (_COVERAGE if self.covered else ())
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *self.program, command],
                cwd=log.parent,
                env={name: os.environ[name] for name in inherited if name in os.environ}
                | {
                    "PYTHONWARNINGS": "error",
                    "HTTP_HOST": "127.0.0.1",
                    "HTTP_PORT": str(self.port),
                    "METRICS_PORT": str(self.metrics_port),
                    "SHUTDOWN_DELAY": "0",
                }
                | environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C for pytest is not for it
            )
        _started.append(self.process)

    def wait_for(self, path: str = "/readyz", *, within: float = START_LIMIT) -> None:
        """Return when a path of the API's port, or of that without TLS, is answered with 200."""
        plain = self.url if self.url.startswith("http:") else self.metrics_url
        deadline = time.monotonic() + within
        with httpx.Client(base_url=plain) as client:
            while time.monotonic() < deadline and self.process.poll() is None:
                try:
                    if client.get(path).status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    pass
                time.sleep(_POLL)
        raise AssertionError(f"{path} is not answered with 200; the log says:\n{self.output()}")

    async def all_connected(self) -> None:
        """Return when every connection to PostgreSQL is up; a ready service may lack some."""

        async def connected() -> bool:
            async with httpx.AsyncClient() as client:
                metrics = (await client.get(f"{self.metrics_url}/metrics")).text
            return 'db_client_connection_count{state="connecting"} 0' in metrics

        await eventually(connected)

    def output(self) -> str:
        """Return what it has printed so far."""
        return self.log.read_text(encoding="utf-8")

    def stop(self) -> int:
        """Send SIGTERM if it runs; return the exit status, or minus the signal that killed it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


async def eventually(
    condition: Callable[[], Awaitable[bool] | bool], *, within: float = 15.0
) -> None:
    """Poll a condition until it is true.

    Raises:
        TimeoutError: it was not true within so many seconds.
    """
    async with asyncio.timeout(within):
        while True:
            found = condition()
            answer = await found if inspect.isawaitable(found) else found
            if answer:
                return
            await asyncio.sleep(_POLL)
