"""The servers to compare: the name of each, how it is built, and the command that starts it.

Every server takes DATABASE_URL, HTTP_PORT and METRICS_PORT from its environment, answers
`POST /orders`, `GET /orders/{id}` and `GET /livez`, and writes its log to stdout.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from bench import paths

Kind = Literal["orders", "go", "fastapi"]


class Server(Struct, frozen=True):
    """One of the compared servers; `name` is what the command line and the JSON call it.

    `program` is the interpreter of `orders`, the binary of a Go peer, and the arguments of
    `serve.py`; `environment` is what it has beyond what all have; `schema` names the schema of a
    revision that has another than this one; `scheme` is that of its URL; `token` is sent with each
    request, if there is one.
    """

    name: str
    title: str
    kind: Kind
    program: str
    environment: dict[str, str] = {}
    schema: str = ""
    scheme: Literal["http", "https"] = "http"
    token: str = ""

    def command(self) -> list[str]:
        """Return the command that serves the API in the foreground."""
        if self.kind == "orders":
            return [self.program, "-m", "orders", "serve"]
        if self.kind == "go":
            return [str(paths.BINARIES / self.program)]
        python = str(paths.FASTAPI_VENV / "bin" / "python")
        return [python, str(paths.FASTAPI_PEER / "serve.py"), *self.program.split()]


ORDERS: Final = "orders"
BASELINE: Final = "baseline"
FIBER: Final = "fiber"
OBSERVED: Final = "fiber-observed"
FASTAPI: Final = "fastapi"

POOL: Final = 16
"""Connections of a peer, all its workers together; what more or fewer gives Go is tried first."""


def _go(name: str, title: str) -> Server:
    return Server(name, title, "go", name, {"POOL_SIZE": str(POOL)})


def _fastapi(name: str, title: str, application: str, workers: int) -> Server:
    pool = {"POOL_SIZE": str(POOL // workers)}
    return Server(name, title, "fastapi", f"{application} {workers}", pool)


SERVERS: Final = (
    Server(ORDERS, "this service", "orders", paths.PYTHON),
    _go(FIBER, "Fiber v3 + pgx, bare"),
    _go(OBSERVED, "Fiber v3 + pgx, observed"),
    _go("gin", "Gin + pgx, bare"),
    _go("echo", "Echo v5 + pgx, bare"),
    _fastapi(FASTAPI, "FastAPI stack", "app", 1),
    _fastapi("fastapi-2", "FastAPI stack, 2 workers", "app", 2),
    _fastapi("fastapi-fast", "FastAPI + asyncpg, bare, 2 workers", "fast", 2),
)
BY_NAME: Final = {server.name: server for server in SERVERS}


def build(servers: list[Server]) -> tuple[list[Server], list[str]]:
    """Build the servers; return those that can run, and a line for each that cannot."""
    ready: list[Server] = []
    missing: list[str] = []
    for server in servers:
        lack = _lack(server)
        if lack is None:
            ready.append(server)
        else:
            missing.append(f"{server.title}: left out, {lack}")
    return ready, missing


def build_go(name: str) -> str | None:
    """Build one command of `bench/peers/go`; return what is missing, or None if it was built."""
    if shutil.which("go") is None:
        return "Go is not installed"
    paths.BINARIES.mkdir(parents=True, exist_ok=True)
    return _run(
        ["go", "build", "-trimpath", "-o", str(paths.BINARIES) + os.sep, f"./cmd/{name}"],
        paths.GO_PEERS,
        {"GOFLAGS": "-mod=readonly"},
    )


def _lack(server: Server) -> str | None:
    if server.kind == "go":
        return build_go(server.program)
    if server.kind == "fastapi":
        return _run(
            [sys.executable, "-m", "uv", "sync", "--quiet", "--locked", "--python", paths.PYTHON],
            paths.FASTAPI_PEER,
            {"UV_PROJECT_ENVIRONMENT": str(paths.FASTAPI_VENV), "VIRTUAL_ENV": ""},
        )
    return _run([server.program, "-m", "orders", "--version"], paths.ROOT, {})


def _run(command: list[str], directory: Path, environment: dict[str, str]) -> str | None:
    environment = {**os.environ, **environment}
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    # The line gets into the report, which names no directory of this machine.
    reason = lines[-1].replace(f"{paths.ROOT}{os.sep}", "").replace(str(Path.home()), "~")
    return f"`{' '.join([Path(command[0]).name, *command[1:3]])}` failed: {reason}"
