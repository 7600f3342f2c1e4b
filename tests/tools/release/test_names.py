"""Version and registry are said in one place each; what is released and documented follows."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.go_programs import CHARTS, MISSING, available
from tools.release import names
from tools.release.install import install

OTHER = names.Names("7.8.9-rc.1", "registry.example:5000/shop")
COPIED = ("chaos", "charts", "common", "docs", "k8s", "operator", "service", "tests")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Have a copy of the tree in which both files say something else, and the rest follows."""
    for folder in COPIED:
        ignored = shutil.ignore_patterns("__pycache__", "*.json", "*.sum")
        shutil.copytree(names.ROOT / folder, tmp_path / folder, ignore=ignored, symlinks=True)
    shutil.copy(names.ROOT / "README.md", tmp_path)
    (tmp_path / "VERSION").write_text(f"{OTHER.version}\n")
    (tmp_path / "REGISTRY").write_text(f"{OTHER.registry}\n")
    for path, text in names.changed(tmp_path, release=True):
        path.write_text(text)
    return tmp_path


def test_this_tree_says_what_the_files_say() -> None:
    """Nothing has to be changed here."""
    assert [] == [path for path, _ in names.changed()]


def test_what_was_written_is_left(tree: Path) -> None:
    """A second time there is nothing to do, whatever the names are."""
    assert [] == list(names.changed(tree))


@pytest.mark.parametrize(
    "folder", ["common", "service", "operator", "k8s/samples", "charts/orders/templates"]
)
def test_no_old_version_is_left(tree: Path, folder: str) -> None:
    """Code, Dockerfiles, samples and templates have only the new one."""
    version = names.names().version
    files = [path for path in (tree / folder).rglob("*") if path.is_file()]
    assert [] == [path for path in files if version.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("folder", "package"), [("service", "orders"), ("operator", "orders_operator")]
)
def test_programs_say_the_version(tree: Path, folder: str, package: str) -> None:
    """`--version` prints the one of VERSION."""
    done = subprocess.run(
        [sys.executable, "-m", package, "--version"],
        cwd=tree / folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert OTHER.version == done.stdout.split()[-1]


def test_readme_installs_what_is_released(tree: Path) -> None:
    """With a registry it has the OCI reference of the chart, and says what a clone installs."""
    said = (tree / "README.md").read_text()
    chart = f"oci://{OTHER.registry}/charts/orders --version {OTHER.version}"
    assert f"\nhelm install orders {chart}\n" in said
    assert "In a clone," in said


def test_readme_stays_with_the_release_until_the_next(tree: Path) -> None:
    """The next version and another registry change neither: nothing can be pulled there yet."""
    (tree / "VERSION").write_text("7.9.0\n")
    (tree / "REGISTRY").write_text("registry.example/fork\n")
    stale = {path.relative_to(tree).as_posix() for path, _ in names.changed(tree)}
    assert "charts/orders/Chart.yaml" in stale
    assert "README.md" not in stale


def test_readme_has_what_was_generated(tree: Path) -> None:
    """Another sentence between its marks is found."""
    readme = tree / "README.md"
    readme.write_text(readme.read_text().replace("Without Helm:", "Or:"))
    assert [readme] == [path for path, _ in names.changed(tree)]


def test_readme_installs_from_a_clone_until_then() -> None:
    """Where REGISTRY has no host, nothing could be pulled from it."""
    assert "helm install orders charts/orders" in install("1.2.3", "orders")
    assert "oci://" not in install("1.2.3", "orders/shop")


@pytest.mark.timeout(900)  # the first run builds the tools
@pytest.mark.skipif(not available(), reason=MISSING)
def test_the_chart_installs_what_is_released(tree: Path) -> None:
    """Its images are of that registry and version; its own version is the same."""
    rendered = CHARTS.run("helm", "template", "orders", tree / "charts" / "orders")
    documents = [document for document in yaml.safe_load_all(rendered) if document]
    images = {
        text.strip(' ",')
        for line in rendered.splitlines()
        for key, _, text in [line.partition("image: ")]
        if not key.strip(" -")
    }
    assert {OTHER.image("service"), OTHER.image("operator")} <= images
    assert not any(image.startswith("orders/") for image in images)
    charts = {it["metadata"]["labels"].get("helm.sh/chart") for it in documents}
    assert {f"orders-{OTHER.version}"} == charts


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("VERSION", "1.0", "VERSION is '1.0'; it must be a version such as 1.2.3"),
        ("VERSION", "v1.2.3", "VERSION is 'v1.2.3'"),
        ("REGISTRY", "Example/shop", "REGISTRY is 'Example/shop'; it must be a registry"),
        ("REGISTRY", "shop/", "REGISTRY is 'shop/'"),
    ],
)
def test_other_names_are_refused(tmp_path: Path, file: str, text: str, said: str) -> None:
    """The message has the file, what is in it, and what may be."""
    (tmp_path / "VERSION").write_text("1.2.3\n")
    (tmp_path / "REGISTRY").write_text("shop\n")
    (tmp_path / file).write_text(f"{text}\n")
    with pytest.raises(ValueError, match=said[:12]) as refused:
        names.names(tmp_path)
    assert str(refused.value).startswith(said)


def test_the_changelog_begins_with_this_version() -> None:
    """Its first section is the one that a release of this tree takes as its notes."""
    lines = (names.ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    first = next(line for line in lines if line.startswith("## "))
    assert first.startswith(f"## {names.names().version} - ")
