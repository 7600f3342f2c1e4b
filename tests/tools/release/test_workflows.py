"""The workflows, as GitHub reads them."""

import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.go_programs import MISSING, ROOT, Programs, available
from tools.release.artifacts import PACKAGES
from tools.release.signing import FORMAT
from tools.site.markdown import blocks

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONLINT = Programs("actionlint", ROOT / "tools" / "release" / "programs" / "actionlint")


@pytest.mark.timeout(600)  # the first run builds it
@pytest.mark.skipif(not available(), reason=MISSING)
def test_actionlint_finds_nothing() -> None:
    """Syntax, expressions, contexts, needs and inputs of every workflow are right."""
    assert "" == ACTIONLINT.run("actionlint", "-shellcheck=", "-pyflakes=", *WORKFLOWS)


@cache
def release() -> Any:
    """Return the workflow of a release."""
    return yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())


def test_each_architecture_is_built_on_its_own_machine() -> None:
    """No image is built by emulation; each has provenance and a bill of materials."""
    job = release()["jobs"]["images"]
    machines = {it["platform"]: it["runner"] for it in job["strategy"]["matrix"]["machine"]}
    assert {"linux/amd64": "ubuntu-24.04", "linux/arm64": "ubuntu-24.04-arm"} == machines
    [build] = [
        step["with"] for step in job["steps"] if "build-push-action" in step.get("uses", "")
    ]
    assert ("mode=max", True) == (build["provenance"], build["sbom"])


def needed(name: str) -> set[str]:
    """Return the jobs of a release that have succeeded when this one begins."""
    needs = release()["jobs"][name].get("needs", [])
    direct = {needs} if isinstance(needs, str) else set(needs)
    return direct.union(*(needed(job) for job in direct))


def test_nothing_names_what_cannot_be_pulled_yet() -> None:
    """Images come before the chart; then anybody can pull both; then wheels, page and README."""
    assert {"plan", "images", "index"} == needed("chart")
    assert "chart" in needed("anybody")
    assert "anybody" in needed("pypi")
    assert "pypi" in needed("publish")
    assert "publish" in needed("readme")


def test_what_users_verify_is_what_the_release_verifies() -> None:
    """SECURITY.md has the same lines, and their identity is this workflow's, at a tag."""
    [job] = [
        step
        for step in release()["jobs"]["anybody"]["steps"]
        if "SECURITY.md" in step.get("name", "")
    ]
    shown = [block.text.strip() for block in blocks((ROOT / "SECURITY.md").read_text("utf-8"))]
    assert job["run"].strip() in shown
    assert {} == release()["jobs"]["anybody"]["permissions"]
    assert "/.github/workflows/release.yml@refs/tags/v$VERSION" in job["run"]
    assert all(tag.startswith("v[") for tag in release()[True]["push"]["tags"])  # YAML's `on`


def test_everything_that_is_pushed_is_signed_by_its_digest() -> None:
    """A tag could be another image by then. The format is that which the trial verifies."""
    signed = [
        command.split()
        for job in release()["jobs"].values()
        for step in job["steps"]
        for command in step.get("run", "").replace("\\\n", "").splitlines()
        if "cosign sign" in command
    ]
    things = [command[-1].strip('"') for command in signed]
    assert ["$IMAGE@$digest", "$REGISTRY/charts/orders@$digest"] == things
    assert all(set(FORMAT) < set(command) for command in signed)


def test_the_trial_signs_with_the_same_cosign() -> None:
    """The version of each installed one is that which `make release-dry-run` builds."""
    asked = {
        step.get("with", {}).get("cosign-release")
        for job in release()["jobs"].values()
        for step in job["steps"]
        if "cosign-installer" in step.get("uses", "")
    }
    pins = ROOT / "tools" / "release" / "programs" / "cosign" / "go.mod"
    [built] = [
        line.split()[1]
        for line in pins.read_text().splitlines()
        if line.startswith("\tgithub.com/sigstore/cosign/v3 v")
    ]
    assert {built} == asked


def test_each_package_has_its_own_publisher() -> None:
    """PyPI accepts one new project for each environment of a workflow."""
    job = release()["jobs"]["pypi"]
    assert list(PACKAGES) == job["strategy"]["matrix"]["package"]
    assert "${{ matrix.package }}" == job["environment"]


def test_a_package_is_published_after_what_it_requires() -> None:
    """One job after the other, as the matrix has them; after a failure the rest is cancelled."""
    strategy = release()["jobs"]["pypi"]["strategy"]
    order = strategy["matrix"]["package"]
    assert (1, True) == (strategy["max-parallel"], strategy.get("fail-fast", True))
    for path in ROOT.glob("*/pyproject.toml"):
        project = tomllib.loads(path.read_text())["project"]
        for required in (it.partition("==")[0] for it in project["dependencies"]):
            if required in order:
                assert order.index(required) < order.index(project["name"])


def test_a_job_may_write_what_it_makes_and_nothing_else() -> None:
    """The workflow itself may do nothing; who signs or publishes has its identity."""
    assert {} == release()["permissions"]
    writing = {
        name: {what for what, how in job["permissions"].items() if how == "write"}
        for name, job in release()["jobs"].items()
    }
    assert {
        "plan": set(),
        "images": {"packages"},
        "index": {"id-token", "packages"},
        "chart": {"id-token", "packages"},
        "anybody": set(),
        "pypi": {"id-token"},
        "publish": {"contents"},
        "readme": {"contents", "pull-requests"},
    } == writing


def test_no_secret_is_needed_but_that_of_another_registry() -> None:
    """Neither PyPI nor signatures have a key that could be lost."""
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text()
    secrets = {word.split("}")[0] for word in text.split("secrets.")[1:]}
    assert {"REGISTRY_PASSWORD"} == {word.split()[0].strip(";") for word in secrets}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned(path: Path) -> None:
    """By the digest of its commit, with its version beside it."""
    used = [line for line in path.read_text().splitlines() if "uses:" in line]
    pinned = [
        line for line in used if len(line.partition("@")[2].split(" # v")[0]) == len("0" * 40)
    ]
    assert used == pinned


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_script_is_well_formed(path: Path) -> None:
    """A shell can read each step to its end."""
    jobs = yaml.safe_load(path.read_text())["jobs"]
    scripts = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert scripts
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
