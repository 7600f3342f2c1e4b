"""README's path to a cluster: what Docker and kind are told, and what other tools are instead.

The tools here only write down how they are called; `tests/e2e` walks the path with real ones.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

import pytest

from tests.helpers.page_blocks import block
from tests.helpers.paths import ROOT
from tools.release.names import names

SERVICE: Final = names().image("service")
OPERATOR: Final = names().image("operator")
STOCK: Final = (
    "kind get clusters",
    "kind create cluster --config kind-config.yaml --wait 120s",
    f"docker build -t {SERVICE}",
    f"docker build -t {OPERATOR}",
    f"docker save {SERVICE}",
    f"docker save {OPERATOR}",
    f"kind load docker-image {SERVICE} --name orders",
    f"kind load docker-image {OPERATOR} --name orders",
    "helm upgrade --install orders charts/orders",
    "kubectl wait --for=condition=Ready orderservice/orders --timeout=180s",
    "kind delete cluster --name orders",
)
"""What `make cluster` and `make cluster-down` call where Docker and kind are."""

DIFFERENCES: Final = {
    "CLUSTER_UP": "their-up kind-config.yaml orders",  # a node image of one's own, another engine
    "CLUSTER_DOWN": "their-down orders",
    "CLUSTER_RUN": "their-run",  # the cluster is in another network; ports are mapped there
    "DOCKER": "their-run docker",
    "IMAGE_BUILD": "their-build",  # another builder, of the same Dockerfiles
    "IMAGE_REGISTRY": "no",  # nothing can be pulled: PostgreSQL's image is built, too
}
"""All that may differ, by the variables that CONTRIBUTING.md describes."""

ELSEWHERE: Final = (
    "their-up kind-config.yaml orders",
    f"their-build {SERVICE}",
    f"their-build {OPERATOR}",
    f"their-run docker save {SERVICE}",
    f"their-run docker save {OPERATOR}",
    f"their-run kind load docker-image {SERVICE} --name orders",
    f"their-run kind load docker-image {OPERATOR} --name orders",
    "their-build postgres:17 -f tests/e2e/images/postgres/Dockerfile .",
    "their-run kind load docker-image postgres:17 --name orders",
    "their-run helm upgrade --install orders charts/orders",
    "their-run kubectl wait --for=condition=Ready orderservice/orders --timeout=180s",
    "their-down orders",
)
"""What it calls with all of them: the same in the same order, each by what stands for it."""

THEIRS: Final = ("their-up", "their-down", "their-run", "their-build")
_TOOL: Final = """#!/bin/sh
echo "${0##*/} $*" | sed 's/ --build-arg.*//' >> "$TOLD"
case "$*" in *save*) cat "$ARCHIVE" ;; esac
"""


def archive(path: Path) -> None:
    """Write an image without a layer, as `docker save` does."""
    with tarfile.open(path, "w") as tar:
        text = json.dumps([{"Config": "config.json", "RepoTags": [], "Layers": []}]).encode()
        member = tarfile.TarInfo("manifest.json")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({"IMAGE_REGISTRY": "yes"}, STOCK), (DIFFERENCES, ELSEWHERE)],
    ids=["stock", "elsewhere"],
)
def test_readmes_path_is_one(
    tmp_path: Path, variables: dict[str, str], expected: tuple[str, ...]
) -> None:
    """Cluster, images and chart come in one order, and go; only the tools' names differ."""
    for tool in ("docker", "kind", "kubectl", "helm", *THEIRS):
        (tmp_path / tool).write_text(_TOOL)
        (tmp_path / tool).chmod(0o755)
    archive(tmp_path / "archive")
    mine = (*DIFFERENCES, "IMAGES", "IMAGE_BUILD_OPTIONS", "KIND_NODE_IMAGE", "CLUSTER")
    environ = {name: text for name, text in os.environ.items() if name not in mine} | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "TOLD": str(tmp_path / "told"),
        "ARCHIVE": str(tmp_path / "archive"),
        "VENV": sys.prefix,
    }
    first, *_, last = block("README.md", "make cluster").splitlines()
    for command in (first, last):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=ROOT,
            env=environ | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, done.stderr

    assert list(expected) == (tmp_path / "told").read_text().splitlines()


def test_every_difference_is_described() -> None:
    """CONTRIBUTING.md has each of the variables."""
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")

    assert [] == [name for name in DIFFERENCES if f"`{name}`" not in page]
