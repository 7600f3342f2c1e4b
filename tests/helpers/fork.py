"""A copy of the project that is changed as a team would, and run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.helpers.paths import ROOT
from tests.helpers.server import Server


class Fork(NamedTuple):
    """The copy, with commands `orders` and `orders-operator` that run it."""

    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """What has its programs find its own code."""
        return {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": f"{self.folder / 'service'}:{self.folder / 'operator'}",
        }

    def replace(self, file: str, before: str, after: str) -> None:
        """Change the one place of a file that has a text."""
        target = self.folder / file
        text = target.read_text(encoding="utf-8")
        assert 1 == text.count(before), before
        target.write_text(text.replace(before, after), encoding="utf-8")

    def run(self, *command: str, **environ: str) -> str:
        """Run a command in the copy; it must succeed."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | self.environ | environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, done.stderr
        return done.stdout


def copied(folder: Path) -> Fork:
    """Copy the service, the operator and the chart into a folder."""
    ignore = shutil.ignore_patterns("__pycache__")
    for part in ("service/orders", "operator/orders_operator", "charts/orders"):
        shutil.copytree(ROOT / part, folder / part, ignore=ignore)
    (folder / "docs").mkdir()
    (folder / "bin").mkdir()
    for name, module in (("orders", "orders"), ("orders-operator", "orders_operator")):
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
        program.chmod(0o755)
    return Fork(folder)


@contextmanager
def serving(fork: Fork, url: str, name: str, **environ: str) -> Iterator[httpx.Client]:
    """Migrate the fork's database and serve; it must end with 0, without an error in its log."""
    environ |= fork.environ | {"DATABASE_URL": url}
    fork.run("orders", "migrate", DATABASE_URL=url)
    server = Server(fork.folder / f"{name}.log", **environ)
    try:
        server.wait_for()
        with httpx.Client(base_url=server.url, timeout=30.0) as client:
            yield client
            metrics = httpx.get(f"{server.metrics_url}/metrics").text
            (fork.folder / "metrics").write_text(metrics)
    finally:
        status = server.stop()
    assert 0 == status
    assert '"level":"ERROR"' not in server.output()
