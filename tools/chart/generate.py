"""Writes or checks the chart's generated files: `python -m tools.chart.generate write|check`.

The schema of the values comes from the CRD, so run `orders-operator crd` into the chart's file
first. README and plain manifests need the Go tools, and are left out where Go is missing.
"""

import difflib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tools.chart.manifests import operator_manifests
from tools.chart.schema import CHART, values_schema
from tools.go_programs import CHARTS, MISSING, ROOT, available

WRITTEN: Final[dict[Path, Callable[[], str]]] = {
    CHART / "values.schema.json": values_schema,
}


def readme() -> str:
    """Return the chart's README, made by helm-docs from the comments of its values."""
    return CHARTS.run(
        "helm-docs",
        "--chart-search-root", CHART.parent,
        "--template-files", "README.md.gotmpl",
        "--sort-values-order", "file",
        "--skip-version-footer",
        "--dry-run",
        "--log-level", "error",
    ).rstrip("\n") + "\n"  # fmt: skip


WRITTEN_WITH_GO: Final[dict[Path, Callable[[], str]]] = {
    CHART / "README.md": readme,
    ROOT / "k8s" / "operator.yaml": operator_manifests,
}


def main(mode: str) -> int:
    """Write the files, or print how they differ from the expected text."""
    files = dict(WRITTEN)
    if available():
        files |= WRITTEN_WITH_GO
    else:
        sys.stderr.write(f"{MISSING}\n")
    stale = [path for path, text in files.items() if not _same(path, text(), mode)]
    if stale:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        sys.stderr.write(f"Not what it should be: {names}; run make generate\n")
    return 1 if stale else 0


def _same(path: Path, text: str, mode: str) -> bool:
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    if mode == "write":
        if old != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return True
    sys.stdout.writelines(
        difflib.unified_diff(
            old.splitlines(keepends=True), text.splitlines(keepends=True), str(path), "generated"
        )
    )
    return old == text


if __name__ == "__main__":
    if sys.argv[1:] not in (["write"], ["check"]):
        sys.exit("generate: say write or check")
    sys.exit(main(sys.argv[1]))
