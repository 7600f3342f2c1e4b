"""Go programs of pinned modules, built once into `.cache`.

A folder with a go.mod pins some; programs that need versions of one module that exclude each other
have a folder each. They are built again when one of these files changes. The first build takes
some minutes, later ones seconds thanks to Go's own cache.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
MISSING: Final = "Go is not installed: what needs its programs was left out"
_FILES: Final = ("go.mod", "go.sum", "main.go")
"""The files from which a module's programs are built."""


class ToolFailed(Exception):
    """A program failed; the message is its output."""


def available() -> bool:
    """Return whether Go is installed."""
    return shutil.which("go") is not None


class Programs:
    """The programs of some modules."""

    def __init__(self, name: str, *modules: Path) -> None:
        """Keep them in `.cache/NAME`."""
        self._cache = ROOT / ".cache" / name / "tools"
        self._modules = modules

    def path(self, name: str) -> Path:
        """Return the path of a program, which is named after its module or its folder."""
        return self._built() / name

    def run(
        self,
        name: str,
        *arguments: str | Path,
        text: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """Run a program in the checkout's root and return what it printed.

        Args:
            name: of the program.
            arguments: of it.
            text: for its standard input.
            environment: variables besides ours.

        Raises:
            ToolFailed: its exit status was not 0.

        """
        done = subprocess.run(
            [self.path(name), *arguments],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ToolFailed(f"{name}: {done.stdout}{done.stderr}")
        return done.stdout

    def _built(self) -> Path:
        """Build all programs, unless these versions are built; return their folder."""
        files = (module / name for module in self._modules for name in _FILES)
        pins = b"".join(file.read_bytes() for file in files if file.exists())
        folder = self._cache / hashlib.sha256(pins).hexdigest()[:16]
        if folder.exists():
            return folder
        unfinished = folder.with_suffix(f".{os.getpid()}")
        unfinished.mkdir(parents=True)
        environment = {
            **os.environ,
            "CGO_ENABLED": "0",
            "GOFLAGS": "-trimpath -buildvcs=false -mod=readonly",
        }
        for module in self._modules:
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


_RELEASE: Final = ROOT / "tools" / "release" / "programs"
CHARTS: Final = Programs(
    "chart",
    *(ROOT / "tests" / "chart" / folder for folder in (".", "helm", "kube-score")),
    ROOT / "tests" / "gitops" / "kstatus",
)
"""`helm`, `helm-docs`, `helm-unittest`, `kubeconform`, `kube-score` and `kstatus`."""
REGISTRY: Final = Programs("release", _RELEASE)
"""`registry`, `crane` and `oras`."""
COSIGN: Final = Programs("cosign", _RELEASE / "cosign")
SYFT: Final = Programs("syft", _RELEASE / "syft")
