"""The last job of a release, run as the workflow has it: it proposes a README that installs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.release.dry_run import copy
from tools.release.names import ROOT, names
from tools.release.tools import MISSING, available

pytestmark = [
    pytest.mark.timeout(900),  # the first run builds the programs that `make generate` needs
    pytest.mark.skipif(not available(), reason=MISSING),
]
REGISTRY = "registry.example/shop"
GH = """#!/bin/sh
echo "$@" >>"$GH_LOG"
"""
"""GitHub's program, which here only says how it was called."""


def git(folder: Path, *arguments: str) -> str:
    """Run git, and return what it printed."""
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Have a clone of the default branch, with an origin and the environment of this tree."""
    folder = tmp_path / "tree"
    copy(folder)
    (folder / ".venv").symlink_to(sys.prefix)
    git(tmp_path, "init", "--quiet", "--bare", "origin")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=All of it")
    git(folder, "remote", "add", "origin", str(tmp_path / "origin"))
    return folder


def run(tree: Path) -> list[str]:
    """Run the step as GitHub does; return how `gh` was called."""
    log, program = tree.parent / "gh.log", tree.parent / "bin" / "gh"
    program.parent.mkdir(exist_ok=True)
    program.write_text(GH)
    program.chmod(0o755)
    log.write_text("")
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    [script] = [it["run"] for it in workflow["jobs"]["readme"]["steps"] if "run" in it]
    environment = {
        **os.environ,
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "GH_LOG": str(log),
        "GITHUB_REF_NAME": f"v{names().version}",
        "BASE": "main",
        "REGISTRY": REGISTRY,
    }
    subprocess.run(["bash", "-e", "-c", script], cwd=tree, env=environment, check=True)
    return log.read_text().splitlines()


def test_it_proposes_a_readme_that_installs_the_release(tree: Path) -> None:
    """README, chart and pages name the registry in one commit; then nothing is left to do."""
    branch = f"installs-v{names().version}"
    called = run(tree)

    assert ["auth setup-git", f"pr create --base main --head {branch} --fill"] == called
    readme = git(tree.parent / "origin", "show", f"{branch}:README.md")
    chart = f"oci://{REGISTRY}/charts/orders --version {names().version}"
    assert f"\nhelm install orders {chart}\n" in readme
    assert "In a clone," in readme
    changed = git(tree, "diff", "--name-only", "HEAD~", "HEAD").split()
    assert {"REGISTRY", "README.md", "charts/orders/values.yaml"} <= set(changed)
    assert f"{REGISTRY}/service" in (tree / "charts" / "orders" / "values.yaml").read_text()
    assert [] == run(tree)
