"""Go programs of pinned modules, built once into `.cache`.

A folder with a go.mod pins some; those that ask for versions of one module that exclude each other
have a folder each. They are built again when one of these files changed; the first time takes some
minutes, after that go's own cache makes it seconds.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_FILES: Final = ("go.mod", "go.sum", "main.go")
"""What a module's programs are made of."""


class ToolFailed(Exception):
    """A program said no; the message is what it printed."""


def available() -> bool:
    """Say whether Go is here."""
    return shutil.which("go") is not None


class Programs:
    """The programs of some modules."""

    def __init__(self, name: str, *modules: Path) -> None:
        """Keep them in `.cache/NAME`."""
        self._cache = ROOT / ".cache" / name / "tools"
        self._modules = modules

    def path(self, name: str) -> Path:
        """Return the path of a program, which is named as its module or its folder is."""
        return self._built() / name

    def run(self, name: str, *arguments: str | Path, text: str | None = None) -> str:
        """Run a program in the checkout's root and return what it printed.

        Raises:
            ToolFailed: its exit status was not 0.

        """
        done = subprocess.run(
            [self.path(name), *arguments],
            cwd=ROOT,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ToolFailed(f"{name}: {done.stdout}{done.stderr}")
        return done.stdout

    def _built(self) -> Path:
        """Build all, unless these versions are there."""
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
