"""Another revision of this service, to be measured in the same run.

It gets a worktree and an environment of its own under `.cache/bench/revisions`, made by its own
Makefile from its own lock file, and the interpreter that this revision runs on; so each version of
Python has its own, and none is measured on the one of an earlier run.
"""

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Final

from msgspec import Struct

from bench import paths
from bench.servers import Server

_BASE: Final = "import sys; print(sys._base_executable)"
_VERSION: Final = "import sys; print(*sys.version_info[:2], sep='.')"


class RevisionError(Exception):
    """A revision is not there, or its environment cannot be made; the message says why."""


class Revision(Struct, frozen=True):
    """A commit: its abbreviated name, and the first line of its message."""

    name: str
    subject: str

    def place(self, python: str) -> Path:
        """Return where its worktree is for a version of Python, such as 3.13."""
        return paths.REVISIONS / f"{self.name}-{python}"

    def server(self, name: str) -> Server:
        """Make its environment; return the server that runs it, called `name` in the results."""
        directory = self.place(_run([paths.PYTHON, "-c", _VERSION]).strip())
        if not (directory / ".git").exists():
            # Forced, for a cache that was removed leaves the worktree registered.
            _run(["git", "worktree", "add", "--force", "--detach", str(directory), self.name])
        base = _run([paths.PYTHON, "-c", _BASE]).strip()
        _run(["make", "--directory", str(directory), ".venv/.ready", f"PYTHON={base}"])
        python = directory / ".venv" / "bin" / "python"
        own = schema(directory / paths.MIGRATIONS.relative_to(paths.ROOT))
        return Server(
            name,
            f"this service at {self.name}",
            "orders",
            str(python),
            schema="" if own == schema(paths.MIGRATIONS) else own,
        )


def find(text: str) -> Revision:
    """Return the commit that git calls `text`; RevisionError if there is none."""
    try:
        commit = f"{text}^{{commit}}"
        full = _run(["git", "rev-parse", "--verify", "--end-of-options", commit]).split()[-1]
        found = _run(["git", "log", "-1", "--format=%h %s", full])
    except RevisionError:
        msg = f"{text!r} is no revision of this repository"
        raise RevisionError(msg) from None
    name, _, subject = found.strip().partition(" ")
    return Revision(name, subject)


def current() -> str:
    """Return the revision that is checked out, and whether files differ from it."""
    try:
        changed = _run(["git", "status", "--porcelain", "--", "service", "uv.lock"]).strip()
        return find("HEAD").name + (", changed" if changed else "")
    except RevisionError:
        return ""


def schema(migrations: Path) -> str:
    """Return a name for the schema that migrations make; the same files have the same name."""
    texts = b"".join(file.read_bytes() for file in sorted(migrations.glob("*.sql")))
    return hashlib.sha256(texts).hexdigest()[:8]


def _run(command: list[str]) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in _OWN}
    done = subprocess.run(
        command, cwd=paths.ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}"
        msg = f"`{Path(command[0]).name} {' '.join(command[1:3])}`: {said}"
        raise RevisionError(msg)
    return done.stdout


_OWN: Final = {"VIRTUAL_ENV", "VENV", "PYTHON", "ARGS", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES"}
"""Variables that a parent make set for itself, and that must not reach another tree."""
