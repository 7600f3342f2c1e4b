"""The tests of a cluster run in the order that their fixtures and marks ask for."""

import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Final

import pytest

from tests.helpers.paths import ROOT

MARKS: Final = """
import pytest

class Marks:
    def pytest_collection_finish(self, session):
        for item in session.items:
            print(item.path.stem, *sorted({mark.name for mark in item.iter_markers()}))

pytest.main(["tests/e2e", "--no-cov", "--collect-only", "-qq"], plugins=[Marks()])
"""
"""A program that prints a line for each test, in order: its file and the names of its marks."""


def _collected(folder: Path) -> list[tuple[str, set[str]]]:
    """Return the files of tests/e2e in order, with their marks, as pytest collects them.

    Before the tests, pytest only asks whether there is a cluster.
    """
    for tool in ("kubectl", "helm", "kind"):
        program = folder / tool
        program.write_text("#!/bin/sh\necho node/orders-control-plane\n")
        program.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    printed = subprocess.check_output(
        [sys.executable, "-c", MARKS], cwd=ROOT, env=os.environ | {"PATH": path}, text=True
    )
    tests = [line.split() for line in printed.splitlines() if line.startswith("test_")]
    return [
        (file, {mark for _, *marks in lines for mark in marks})
        for file, lines in groupby(tests, lambda words: words[0])
    ]


@pytest.mark.timeout(300)
def test_files_run_in_the_order_that_they_ask_for(tmp_path: Path) -> None:
    """Long files start first, those that run alone come last, and no file is torn apart."""
    collected = _collected(tmp_path)
    files = [file for file, _ in collected]
    early = [file for file, marks in collected if "starts_early" in marks]
    alone = [file for file, marks in collected if "alone" in marks]

    assert sorted(path.stem for path in (ROOT / "tests/e2e").glob("test_*.py")) == sorted(files)
    assert early == files[: len(early)]
    assert {"test_canary", "test_rotation"} == set(early[:2])
    assert alone == files[-len(alone) :]
    assert ("test_install", "test_removal") == (alone[0], alone[-1])
    assert alone.index("test_drift") < alone.index("test_operator")
