"""The Go programs that make and check the chart, and that read a status as GitOps tools do.

Built from the modules that `tests/chart` and `tests/gitops` pin: a go.mod for each of kube-score,
helm-docs, Helm and kstatus, which ask for versions of one module that exclude each other. Built
once into `.cache`, and again when one of their files changed; the first time takes some minutes,
after that go's own cache makes it seconds.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CACHE: Final = ROOT / ".cache" / "chart"
MISSING: Final = "Go is not there: the chart was not checked, and its generated files neither"

_MODULES: Final = (
    *(ROOT / "tests" / "chart" / folder for folder in (".", "helm", "kube-score")),
    ROOT / "tests" / "gitops" / "kstatus",
)
_FILES: Final = ("go.mod", "go.sum", "main.go")
"""What a module's programs are made of."""


class ToolFailed(Exception):
    """A tool said no; the message is what it printed."""


def available() -> bool:
    """Say whether the tools can be built here."""
    return shutil.which("go") is not None


def tool(name: str) -> Path:
    """Return the path of one of the programs, which is named as its module or its folder is."""
    return _built() / name


def run(name: str, *arguments: str | Path, text: str | None = None) -> str:
    """Run a tool in the checkout's root and return what it printed.

    Raises:
        ToolFailed: its exit status was not 0.

    """
    done = subprocess.run(
        [tool(name), *arguments],
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ToolFailed(f"{name}: {done.stdout}{done.stderr}")
    return done.stdout


def go_module(path: str, version: str) -> Path:
    """Return the folder of a Go module's files, downloaded when they are not there yet."""
    command = ["go", "mod", "download", f"{path}@{version}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    cache = subprocess.run(
        ["go", "env", "GOMODCACHE"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return Path(cache.stdout.strip(), f"{path}@{version}")


def _built() -> Path:
    """Build all tools, unless these versions are there."""
    files = (module / name for module in _MODULES for name in _FILES)
    pins = b"".join(file.read_bytes() for file in files if file.exists())
    folder = CACHE / "tools" / hashlib.sha256(pins).hexdigest()[:16]
    if folder.exists():
        return folder
    unfinished = folder.with_suffix(f".{os.getpid()}")
    unfinished.mkdir(parents=True)
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-trimpath -buildvcs=false -mod=readonly",
    }
    for module in _MODULES:
        done = subprocess.run(
            ["go", "build", "-ldflags=-s -w", "-o", f"{unfinished}{os.sep}", "tool"],
            cwd=module,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ToolFailed(f"go build in {module}: {done.stderr}")
    unfinished.rename(folder)
    return folder
