"""What an upgrade is tried from: the last release, once there is one."""

import subprocess
from pathlib import Path

import pytest

from tests.helpers.pushed import push_image
from tools.go_programs import CHARTS, MISSING, ROOT, available
from tools.release.dry_run import local_registry
from tools.release.last import last_release, released_chart

IMAGES = ("service", "operator")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Have a repository with the tags of some releases, and a commit after them."""
    (tmp_path / "VERSION").write_text("1.11.0\n")
    (tmp_path / "REGISTRY").write_text("registry.example/shop\n")
    git(tmp_path, "init", "--quiet")
    for tag in ("v1.9.0", "v1.10.0", "v1.11.0-rc.1", "vision", "v1.11.0"):
        commit(tmp_path)
        git(tmp_path, "tag", tag)
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    """Run git, as nobody."""
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


def commit(folder: Path) -> None:
    """Make a commit of nothing."""
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "Change")


def test_the_tag_of_this_commit_is_not_before_it(tree: Path) -> None:
    """While 1.11.0 is released, the one before is 1.10.0, a greater number than 1.9.0."""
    assert "1.10.0" == last_release(tree)


@pytest.mark.timeout(900)  # the first run builds the programs
@pytest.mark.skipif(not available(), reason=MISSING)
def test_after_a_release_it_is_the_last(tree: Path, tmp_path: Path) -> None:
    """Its chart comes from where this tree says that it is published, its images by digests."""
    commit(tree)
    with local_registry() as host:
        shop = f"{host}/shop"
        (tree / "REGISTRY").write_text(f"{shop}\n")
        digests = [push_image(tmp_path, f"{shop}/{name}:1.11.0") for name in IMAGES]
        package = ("--version", "1.11.0", "--destination", tmp_path)
        CHARTS.run("helm", "package", ROOT / "charts" / "orders", *package)
        chart = tmp_path / "orders-1.11.0.tgz"
        CHARTS.run("helm", "push", chart, f"oci://{shop}/charts", "--plain-http")

        arguments = released_chart(tree)

        assert arguments is not None
        rendered = CHARTS.run("helm", "template", "orders", *arguments, "--plain-http")
    assert "helm.sh/chart: orders-1.11.0" in rendered
    for name, digest in zip(IMAGES, digests, strict=True):
        assert f"/{name}@{digest}" in rendered
        assert f"/{name}:" not in rendered


def test_a_release_of_another_branch_is_not_before_it(tree: Path) -> None:
    """A mend of 1.10 upgrades from 1.10.0, though 1.11.0 is out."""
    git(tree, "checkout", "--quiet", "-b", "mend", "v1.10.0")
    commit(tree)
    assert "1.10.0" == last_release(tree)


def test_before_the_first_there_is_none(tmp_path: Path) -> None:
    """Nor is there one in what is no repository."""
    assert last_release(tmp_path) is None


def test_without_a_registry_nothing_can_be_pulled(tree: Path) -> None:
    """A clone that has not published anything upgrades from a chart made of its own."""
    (tree / "REGISTRY").write_text("orders\n")
    assert released_chart(tree) is None
