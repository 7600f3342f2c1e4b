"""Describes the machine and the versions of a measurement, without names or paths."""

import os
import platform
import re
import subprocess
from pathlib import Path

from bench import paths
from bench.servers import FASTAPI, Server

_OF_ORDERS = ("granian", "litestar", "msgspec", "psqlpy", "uvloop")
_OF_FASTAPI = ("fastapi", "uvicorn", "sqlalchemy", "asyncpg", "httptools", "uvloop", "orjson")
_OF_GO = ("gofiber/fiber", "gin-gonic/gin", "labstack/echo", "jackc/pgx")
_LIST = (
    "import platform, sys; from importlib.metadata import version as v; "
    "print(platform.python_implementation(), platform.python_version(), *map(v, sys.argv[1:]))"
)


def describe() -> dict[str, str]:
    """Processor, cores, memory, kernel and distribution."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    kibibytes = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    cores = len(os.sched_getaffinity(0))
    return {
        "processor": model[1] if model else platform.machine(),
        "cores": str(cores),
        "memory": f"{int(kibibytes[1]) / 1024**2:.0f} GiB" if kibibytes else "unknown",
        "kernel": f"{platform.system()} {platform.release()}",
        "distribution": platform.freedesktop_os_release().get("PRETTY_NAME", "unknown"),
    }


def versions(servers: list[Server]) -> dict[str, str]:
    """Versions of what runs: interpreters, compilers, frameworks and drivers."""
    found = {}
    for server in servers:
        if server.kind == "orders":
            found[server.name] = _python(server.program, _OF_ORDERS)
        elif server.kind == "go" and "go" not in found:
            found["go"] = _go()
        elif server.kind == "fastapi" and FASTAPI not in found:
            found[FASTAPI] = _python(server.command()[0], _OF_FASTAPI)
    return found


def python() -> str:
    """Interpreter of the service and the operator."""
    return _python(paths.PYTHON, ())


def _python(python: str, packages: tuple[str, ...]) -> str:
    done = subprocess.run(
        [python, "-c", _LIST, *packages], capture_output=True, text=True, check=True
    )
    name, version, *rest = done.stdout.split()
    named = (f"{package} {number}" for package, number in zip(packages, rest, strict=True))
    return ", ".join([f"{name} {version}", *named])


def _go() -> str:
    done = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True)
    required = (paths.GO_PEERS / "go.mod").read_text()
    named = [
        f"{package.split('/')[1]} {match[1]}"
        for package in _OF_GO
        if (match := re.search(rf"{package}\S* v(\S+)", required))
    ]
    return ", ".join([done.stdout.strip().replace("go", "Go ", 1), *named])
