"""The files of a release, made from the same commit on two machines."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.go_programs import MISSING, available
from tools.release.dry_run import copy
from tools.release.names import names


@pytest.mark.timeout(900)  # the first run builds Helm
@pytest.mark.skipif(not available(), reason=MISSING)
def test_the_same_commit_gives_the_same_files(tmp_path: Path) -> None:
    """Whenever it was checked out: the wheels, the chart and the manifests are equal."""
    made = []
    for checkout, time in (("first", 1_700_000_000), ("second", 1_800_000_000)):
        tree, dist = tmp_path / checkout, tmp_path / f"{checkout}-dist"
        copy(tree)
        for path in tree.rglob("*"):
            os.utime(path, (time, time), follow_symlinks=False)
        command = [sys.executable, "-m", "tools.release.artifacts", str(dist)]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "1750000000"}
        subprocess.run(command, cwd=tree, env=environment, check=True)
        made.append({path.name: path.read_bytes() for path in dist.glob("[!.]*")})
    version = names().version
    wheels = {
        f"orders_{it}-{version}-py3-none-any.whl" for it in ("common", "service", "operator")
    }
    assert wheels | {f"orders-{version}.tgz", "install.yaml"} == made[0].keys()
    assert made[0] == made[1]
