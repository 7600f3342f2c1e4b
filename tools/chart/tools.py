"""The Go programs that make and check the chart, and that read a status as GitOps tools do.

They are built from the modules that `tests/chart` and `tests/gitops` pin: one go.mod each for
kube-score, helm-docs, Helm and kstatus.
"""

import subprocess
from pathlib import Path
from typing import Final

from tools.go_programs import ROOT, Programs, ToolFailed, available

__all__ = ["CACHE", "MISSING", "ROOT", "ToolFailed", "available", "go_module", "run", "tool"]

CACHE: Final = ROOT / ".cache" / "chart"
MISSING: Final = "Go is not there: the chart was not checked, and its generated files neither"

_PROGRAMS: Final = Programs(
    "chart",
    *(ROOT / "tests" / "chart" / folder for folder in (".", "helm", "kube-score")),
    ROOT / "tests" / "gitops" / "kstatus",
)
tool: Final = _PROGRAMS.path
run: Final = _PROGRAMS.run


def go_module(path: str, version: str) -> Path:
    """Return the folder of a Go module's files, downloaded if they are not there yet."""
    command = ["go", "mod", "download", f"{path}@{version}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    cache = subprocess.run(
        ["go", "env", "GOMODCACHE"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return Path(cache.stdout.strip(), f"{path}@{version}")
