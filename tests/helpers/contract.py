"""An OpenAPI document against a running service, by schemathesis."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.helpers.paths import ROOT

ALL_PHASES: Final = "examples,coverage,fuzzing,stateful"


def failures(url: str, document: str, examples: int, *more: str, phases: str = ALL_PHASES) -> str:
    """Return what all checks of schemathesis find; nothing when they pass."""
    run = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "--config-file", "tests/service/integration/schemathesis.toml",
            "run", document,
            "--url", url,
            "--checks", "all",
            "--phases", phases,
            "--max-examples", str(examples),
            *more,
        ],
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )  # fmt: skip
    return "" if run.returncode == 0 else run.stdout
