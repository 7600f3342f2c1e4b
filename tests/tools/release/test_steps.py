"""Steps of a release, run as the workflow has them, with a registry on this machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tools.go_programs import CHARTS, MISSING, REGISTRY, available
from tools.release.artifacts import PACKAGES
from tools.release.dry_run import copy, local_registry
from tools.release.names import ROOT, names

pytestmark = [
    pytest.mark.timeout(900),  # the first run builds the programs that `make generate` needs
    pytest.mark.skipif(not available(), reason=MISSING),
]
OCI = "registry.example/shop"
LOG = """#!/bin/sh
echo "$@" >>"$0.log"
"""
"""A program that only says how it was called: gh, or cosign, which needs an identity of GitHub."""
HELM = """#!/bin/sh
exec {helm} "$@" --plain-http
"""
"""Helm, for a registry without TLS."""


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
    (folder / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        (folder / ".venv" / part.name).symlink_to(part)
    ready = folder / ".venv" / ".ready"  # of its own: `make` must not install the clone instead
    ready.unlink(missing_ok=True)
    ready.touch()
    git(tmp_path, "init", "--quiet", "--bare", "origin")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=All of it")
    git(folder, "remote", "add", "origin", str(tmp_path / "origin"))
    return folder


@pytest.fixture
def registry() -> Iterator[str]:
    """Have a registry and an organisation on this machine."""
    with local_registry() as host:
        yield f"{host}/shop"


def run(folder: Path, job: str, begin: str, **environ: str) -> None:
    """Run, as GitHub does, the step of a job whose name or script begins so."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    [script] = [
        step["run"]
        for step in workflow["jobs"][job]["steps"]
        if step.get("name", step.get("run", "")).startswith(begin)
    ]
    path = f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "VERSION": names().version, "PATH": path, **environ}
    subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=environment, check=True)


def program(folder: Path, name: str, text: str = LOG) -> Path:
    """Put a program before those of this machine; return where it says how it was called."""
    made = folder / "bin" / name
    made.parent.mkdir(exist_ok=True)
    made.write_text(text)
    made.chmod(0o755)
    return made.with_name(f"{name}.log")


def test_it_proposes_a_readme_that_installs_the_release(tree: Path) -> None:
    """README, chart and pages name the registry in one commit; then nothing is left to do."""
    version = names().version
    called = program(tree.parent, "gh")
    environ = {"GITHUB_REF_NAME": f"v{version}", "BASE": "main", "REGISTRY": OCI}

    run(tree, "readme", "make", **environ)
    run(tree, "readme", "make", **environ)

    create = f"pr create --base main --head installs-v{version} --fill"
    assert ["auth setup-git", create] == called.read_text().splitlines()
    readme = git(tree.parent / "origin", "show", f"installs-v{version}:README.md")
    assert f"\nhelm install orders oci://{OCI}/charts/orders --version {version}\n" in readme
    assert "In a clone," in readme
    changed = git(tree, "diff", "--name-only", "HEAD~", "HEAD").split()
    assert {"REGISTRY", "README.md", "charts/orders/values.yaml"} <= set(changed)
    assert f"{OCI}/service" in (tree / "charts" / "orders" / "values.yaml").read_text()


def test_the_chart_is_signed_by_the_digest_that_helm_names(tree: Path, registry: str) -> None:
    """What cosign is told to sign is what the registry has under the version's tag."""
    version = names().version
    CHARTS.run("helm", "package", tree / "charts" / "orders", "--destination", tree / "dist")
    program(tree.parent, "helm", HELM.format(helm=CHARTS.path("helm")))
    called = program(tree.parent, "cosign")

    run(tree, "chart", "Publish the chart", REGISTRY=registry)

    chart = f"{registry}/charts/orders"
    digest = REGISTRY.run("crane", "digest", f"{chart}:{version}").strip()
    [command] = called.read_text().splitlines()
    assert ("sign", f"{chart}@{digest}") == (command.split()[0], command.split()[-1])


def test_artifact_hub_is_told_who_publishes(tree: Path, registry: str) -> None:
    """Beside the chart's versions is its metadata, with the identity that Artifact Hub gave."""
    given = "00000000-1111-2222-3333-444444444444"

    run(tree, "chart", "Tell Artifact Hub", REGISTRY=registry, REPOSITORY_ID=given)

    reference = f"{registry}/charts/orders:artifacthub.io"
    REGISTRY.run("oras", "pull", "--plain-http", reference, "--output", tree.parent / "pulled")
    pulled = tree.parent / "pulled" / "charts" / "artifacthub-repo.yml"
    assert given == yaml.safe_load(pulled.read_text())["repositoryID"]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_publisher_has_the_wheel_of_its_package_only(tmp_path: Path, package: str) -> None:
    """PyPI would refuse the other one."""
    dist = tmp_path / "work" / "dist"
    dist.mkdir(parents=True)
    wheels = {it: f"{it.replace('-', '_')}-1.0.0-py3-none-any.whl" for it in PACKAGES}
    for name in (*wheels.values(), "orders-1.0.0.tgz", "install.yaml"):
        (dist / name).touch()

    run(tmp_path / "work", "pypi", "Only its wheel", PACKAGE=package)

    assert [wheels[package]] == [path.name for path in dist.iterdir()]
