"""What is compared: each server's name, how it is built, and the command that starts it.

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

from bench import places

Kind = Literal["orders", "go", "fastapi"]


class Server(Struct, frozen=True):
    """One of the compared servers; `name` is what the command line, the JSON and Go call it."""

    name: str
    title: str
    kind: Kind
    observed: bool

    def command(self) -> list[str]:
        """Return the command that serves the API in the foreground."""
        if self.kind == "orders":
            return [places.PYTHON, "-m", "orders", "serve"]
        if self.kind == "go":
            return [str(places.BINARIES / self.name)]
        return [str(places.FASTAPI_VENV / "bin" / "python"), str(places.FASTAPI_PEER / "serve.py")]


ORDERS: Final = "orders"
FIBER: Final = "fiber"
FASTAPI: Final = "fastapi"

SERVERS: Final = (
    Server(ORDERS, "this service", "orders", observed=True),
    Server(FIBER, "Fiber v3 + pgx, bare", "go", observed=False),
    Server("fiber-observed", "Fiber v3 + pgx, observed", "go", observed=True),
    Server("gin", "Gin + pgx, bare", "go", observed=False),
    Server("echo", "Echo v5 + pgx, bare", "go", observed=False),
    Server(FASTAPI, "FastAPI stack", "fastapi", observed=True),
)
BY_NAME: Final = {server.name: server for server in SERVERS}


def build(servers: list[Server]) -> tuple[list[Server], list[str]]:
    """Build what the servers need; return those that can run, and a line for each that cannot."""
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
    """Build one command of `bench/peers/go`; return what is lacking, None when it is built."""
    if shutil.which("go") is None:
        return "Go is not installed"
    places.BINARIES.mkdir(parents=True, exist_ok=True)
    return _run(
        ["go", "build", "-trimpath", "-o", str(places.BINARIES) + os.sep, f"./cmd/{name}"],
        places.GO_PEERS,
        {"GOFLAGS": "-mod=readonly"},
    )


def _lack(server: Server) -> str | None:
    if server.kind == "go":
        return build_go(server.name)
    if server.kind == "fastapi":
        return _run(
            [sys.executable, "-m", "uv", "sync", "--quiet", "--locked", "--python", places.PYTHON],
            places.FASTAPI_PEER,
            {"UV_PROJECT_ENVIRONMENT": str(places.FASTAPI_VENV), "VIRTUAL_ENV": ""},
        )
    return _run([places.PYTHON, "-m", "orders", "--version"], places.ROOT, {})


def _run(command: list[str], directory: Path, environment: dict[str, str]) -> str | None:
    environment = {**os.environ, **environment}
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    # The line gets into the report, which names no directory of this machine.
    reason = lines[-1].replace(f"{places.ROOT}{os.sep}", "").replace(str(Path.home()), "~")
    return f"`{' '.join([Path(command[0]).name, *command[1:3]])}` failed: {reason}"
