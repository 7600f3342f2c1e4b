"""Checks that the image works like the environment in which everything is installed.

Modules and commands may fail in the image if they fail there too: a module whose optional
dependency is not installed stays, because others may expect just that failure.
"""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tools.image import trial
from tools.image.plan import Run

_PROBE = Path(__file__).with_name("probe.py")


def modules(installed: Path, python: Path, names: Iterable[str]) -> None:
    """Exit the program unless both interpreters can import the same modules."""
    tried = [name for name in names if not name.endswith("__main__")]
    here = _failures(installed, tried)
    there = _failures(python, tried, **_alone(python))
    if there.keys() != here.keys():
        reasons = {reason: name for name, reason in reversed(there.items()) if name not in here}
        sys.exit("\n".join(f"{name}, in the image: {why}" for why, name in reasons.items()))
    sys.stdout.write(f"{len(tried)} modules\n")
    for name, reason in here.items():
        sys.stdout.write(f"cannot be imported, here or there: {name} {reason:.60}\n")


def runs(
    outcomes: list[trial.Outcome], python: Path, programs: Path, wanted: Iterable[Run]
) -> None:
    """Exit the program unless commands do the same with the image's interpreter."""
    repeated = trial.repeat(python, programs, wanted, **_alone(python))
    for before, now in zip(outcomes, repeated, strict=True):
        if before != now:
            sys.exit(f"with everything installed: {before}\nin the image: {now}")
        sys.stdout.write(f"{now}\n")


def _alone(python: Path) -> dict[str, str]:
    """Return variables that make an interpreter search below its own root, but for libraries."""
    return {"PYTHONHOME": str(python.parents[1])}


def _failures(python: Path, names: list[str], **environ: str) -> dict[str, str]:
    """Return the modules that an interpreter cannot import, and why."""
    failed = subprocess.run(
        [python, "-W", "ignore", _PROBE],
        input="\n".join(names),
        env=os.environ | {"PYTHONSAFEPATH": "1"} | environ,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    lines = (line.partition(" ") for line in failed.splitlines())
    return {name: reason for name, _, reason in lines}
