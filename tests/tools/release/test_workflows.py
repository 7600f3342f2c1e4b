"""The workflows, as GitHub reads them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.go_programs import ROOT, Programs, available
from tools.release.dry_run import MISSING

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONLINT = Programs("actionlint", ROOT / "tools" / "release" / "programs" / "actionlint")


@pytest.mark.timeout(600)  # the first run builds it
@pytest.mark.skipif(not available(), reason=MISSING)
def test_actionlint_finds_nothing() -> None:
    """Syntax, expressions, contexts, needs and inputs of every workflow are right."""
    assert "" == ACTIONLINT.run("actionlint", "-shellcheck=", "-pyflakes=", *WORKFLOWS)


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


@pytest.mark.parametrize("name", ["index", "chart", "pypi"])
def test_identities_sign_and_publish(name: str) -> None:
    """Who signs or publishes does so as the workflow."""
    assert "write" == release()["jobs"][name]["permissions"]["id-token"]


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
