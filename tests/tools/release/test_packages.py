"""The packages as a user gets them: what is in the wheels, their types, and the trial."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path

import httpx
import pytest

from tests.helpers.page_blocks import block
from tests.helpers.postgres import reachable_folder
from tests.helpers.server import Server
from tools.release.names import ROOT, names

pytestmark = pytest.mark.timeout(300)  # the first run downloads what the packages need

PACKAGES = {
    "orders-common": "orders_common",
    "orders-service": "orders",
    "orders-operator": "orders_operator",
}
INDEX = ("UV_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
"""How variables begin that say where uv finds packages."""
UV = (sys.executable, "-m", "uv")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build every wheel."""
    folder = tmp_path_factory.mktemp("wheels")
    for package in PACKAGES:
        subprocess.run(
            [*UV, "build", "--quiet", "--wheel", "--package", package, "--out-dir", folder],
            cwd=ROOT,
            check=True,
        )
    return {name: next(folder.glob(f"{name.replace('-', '_')}-*.whl")) for name in PACKAGES}


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Have the versions of uv.lock as constraints, so that this tests no release of tomorrow."""
    file = tmp_path_factory.mktemp("locked") / "constraints.txt"
    command = [*UV, "export", "--frozen", "--quiet", "--all-groups", "--no-hashes"]
    command += ["--no-emit-workspace", "--output-file", str(file)]
    subprocess.run(command, cwd=ROOT, check=True)
    return file


def metadata(wheel: Path) -> Message:
    """Return the metadata of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(it for it in archive.namelist() if it.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wheel_is_pure_and_says_what_it_is(wheels: dict[str, Path], package: str) -> None:
    """Any platform; version of VERSION; README, licence and its text, and that it is typed."""
    wheel = wheels[package]
    assert f"{package.replace('-', '_')}-{names().version}-py3-none-any.whl" == wheel.name
    found = metadata(wheel)
    assert (package, names().version) == (found["Name"], found["Version"])
    assert ("Apache-2.0", "LICENSE") == (found["License-Expression"], found["License-File"])
    assert "text/markdown" == found["Description-Content-Type"]
    assert str(found.get_payload()).startswith(f"# {package}\n")
    with zipfile.ZipFile(wheel) as archive:
        files = set(archive.namelist())
        text = archive.read(
            f"{package.replace('-', '_')}-{names().version}.dist-info/licenses/LICENSE"
        )
    assert f"{PACKAGES[package]}/py.typed" in files
    assert (ROOT / "LICENSE").read_bytes() == text


def test_the_extras_are_those_that_the_readme_explains(wheels: dict[str, Path]) -> None:
    """Each extra of the service has a row, and each row is an extra."""
    readme = (ROOT / "service" / "README.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1] for line in readme.splitlines() if line.startswith("| `")]
    assert sorted(metadata(wheels["orders-service"]).get_all("Provides-Extra", [])) == sorted(rows)


def test_two_builds_are_the_same(wheels: dict[str, Path], tmp_path: Path) -> None:
    """A wheel has no time and no order of the machine in it."""
    command = [*UV, "build", "--quiet", "--wheel", "--package", "orders-operator"]
    subprocess.run([*command, "--out-dir", tmp_path], cwd=ROOT, check=True)
    first = wheels["orders-operator"]
    assert first.read_bytes() == (tmp_path / first.name).read_bytes()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_type_checker_sees_the_types(
    wheels: dict[str, Path], tmp_path: Path, package: str
) -> None:
    """Of a program that uses an installed wheel wrongly, mypy says so."""
    subprocess.run(
        [*UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"], check=True
    )
    python = tmp_path / "venv" / "bin" / "python"
    install = [*UV, "pip", "install", "--quiet", "--no-deps", "--python", str(python)]
    subprocess.run([*install, wheels[package]], check=True)
    (tmp_path / "program.py").write_text(
        f"from {PACKAGES[package]} import __version__\n\n__version__.number()\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 'program.py:3: error: "str" has no attribute "number"' in done.stdout
    assert "Found 1 error" in done.stdout


class Trial(Server):
    """`uvx --from 'WHEEL[dev]' orders COMMAND`, in a folder without the tree."""

    covered = False


@pytest.fixture
def trial(wheels: dict[str, Path], locked: Path) -> Iterator[Trial]:
    """Start `orders dev` as a user tries it, with the wheel in place of the index."""
    Trial.program = (
        *("-m", "uv", "tool", "run", "--quiet", "--isolated", "--constraints", str(locked)),
        *("--python", sys.executable, "--from", f"{wheels['orders-service']}[dev]"),
        *("--find-links", str(wheels["orders-common"].parent), "orders"),
    )
    with reachable_folder() as folder:
        environ = {name: text for name, text in os.environ.items() if name.startswith(INDEX)}
        environ["UV_CACHE_DIR"] = str(folder / "cache")
        server = Trial(folder / "dev.log", "dev", **environ)
        try:
            yield server
        finally:
            server.stop()


def test_one_command_is_the_whole_trial(trial: Trial) -> None:
    """It serves orders from a PostgreSQL of its own, kept in the folder where it was started.

    uv's cache is empty before, as on the machine of somebody who has never tried it.
    """
    trial.wait_for("/readyz", within=200)  # uv installs it first
    answer = httpx.post(f"{trial.url}/orders", json={"item": "grinder", "quantity": 1})
    assert 201 == answer.status_code
    assert "grinder" == httpx.get(trial.url + answer.headers["location"]).json()["item"]
    assert f'"version":"{names().version}"' in httpx.get(f"{trial.url}/openapi.json").text.replace(
        ": ", ":"
    )
    assert (trial.log.parent / ".orders").is_dir()
    assert 0 == trial.stop()
    assert "all requests are answered" in trial.output()


def test_the_plugin_is_installed_as_its_page_says(locked: Path, tmp_path: Path) -> None:
    """From a checkout, by pip; kubectl, where there is one, finds it."""
    subprocess.run([*UV, "venv", "--quiet", "--seed", tmp_path / "venv"], cwd=ROOT, check=True)
    commands = block("docs/kubectl.md", "pip install ./common ./operator")
    if shutil.which("kubectl") is None:
        commands = commands.replace("kubectl orders", "kubectl-orders")
    done = subprocess.run(
        ["bash", "-ec", commands],
        cwd=ROOT,
        env=os.environ
        | {
            "PATH": f"{tmp_path / 'venv' / 'bin'}:{os.environ['PATH']}",
            "PIP_CONSTRAINT": f"{locked}",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    assert f"orders-operator-{names().version}" in done.stdout
    assert "usage: kubectl orders" in done.stdout
