"""The files of a release besides its images: `python -m tools.release.artifacts FOLDER`.

They are three wheels, the chart as a package, and `install.yaml`: the CRD and the operator for
users without Helm. Their images are those of REGISTRY and VERSION.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from tools.chart.manifests import operator_manifests
from tools.chart.schema import CHART
from tools.go_programs import CHARTS
from tools.release.names import ROOT

PACKAGES: Final = ("orders-common", "orders-service", "orders-operator")
_HEADER: Final = "# The operator and its CRD: kubectl apply -f install.yaml\n"


def main(folder: Path) -> None:
    """Make all files of a release in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        wheel(package, folder)
    CHARTS.run("helm", "lint", "--strict", "--quiet", CHART)
    CHARTS.run("helm", "package", CHART, "--destination", folder.resolve())
    (folder / "install.yaml").write_text(manifests(), encoding="utf-8")


def wheel(package: str, folder: Path) -> None:
    """Build the wheel of a package."""
    command = [sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--package", package]
    subprocess.run([*command, "--out-dir", str(folder.resolve())], cwd=ROOT, check=True)


def manifests() -> str:
    """Return the CRD and then the operator, in the order in which they have to be applied."""
    crd = (ROOT / "k8s" / "crd.yaml").read_text(encoding="utf-8")
    return f"{_HEADER}---\n{crd}{operator_manifests()}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
