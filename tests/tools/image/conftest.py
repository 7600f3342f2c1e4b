"""The images, run as Kubernetes runs them: read-only root, no capabilities, no network.

DOCKER is the command that reaches the engine, `docker` if it is not set; `make images` builds
what is tested. Where either is missing, these tests are left out and say so.
"""

import io
import json
import os
import shlex
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.paths import ROOT
from tools.image import sizes
from tools.release.names import names

TAGS = {name: names().image(name) for name in ("service", "operator")}
LOCKED_DOWN = (
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--network=none",
)
LIMIT = 60.0


def docker(*arguments: str, text: str | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a command of Docker's."""
    return subprocess.run(
        [*shlex.split(os.environ.get("DOCKER") or "docker"), *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


@cache
def missing(tag: str) -> str:
    """Return why an image cannot be run; nothing when it can."""
    try:
        if docker("version").returncode != 0:
            return "no Docker can be reached: the images are not tested"
    except FileNotFoundError:
        return "there is no Docker: the images are not tested"
    if docker("image", "inspect", tag).returncode != 0:
        return f"there is no {tag}, `make images` builds it: the images are not tested"
    return ""


@cache
def archive(tag: str) -> bytes:
    """Return an image as `docker save` writes it."""
    command = shlex.split(os.environ.get("DOCKER") or "docker")
    return subprocess.run(
        [*command, "save", tag], stdout=subprocess.PIPE, timeout=LIMIT, check=True
    ).stdout


@cache
def members(tag: str) -> list[tarfile.TarInfo]:
    """Return what is in an image."""
    return sizes.files(io.BytesIO(archive(tag)))


@cache
def measured(tag: str) -> sizes.Size:
    """Return how big an image is."""
    return sizes.measure(io.BytesIO(archive(tag)))[1]


class Image:
    """One of the images."""

    def __init__(self, name: str) -> None:
        """Take `service` or `operator`."""
        self.name = name
        self.tag = TAGS[name]

    def run(
        self, *arguments: str, options: tuple[str, ...] = (), text: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run it to its end, locked down."""
        return docker("run", "--rm", "-i", *LOCKED_DOWN, *options, self.tag, *arguments, text=text)

    def python(self, program: str, text: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a Python program with the image's interpreter."""
        return self.run("-c", program, options=("--entrypoint=/usr/bin/python3",), text=text)

    @property
    def config(self) -> dict[str, Any]:
        """What it says of how to run it."""
        [described] = json.loads(docker("image", "inspect", self.tag).stdout)
        config: dict[str, Any] = described["Config"]
        return config

    @property
    def files(self) -> list[tarfile.TarInfo]:
        """What is in it."""
        return members(self.tag)

    @property
    def size(self) -> sizes.Size:
        """How big it is."""
        return measured(self.tag)

    def read(self, path: str) -> str:
        """Return what is in a file, read inside it."""
        done = self.python(f"import pathlib; print(pathlib.Path({path!r}).read_text(), end='')")
        assert (0, "") == (done.returncode, done.stderr)
        return done.stdout


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot be tested; the first test tells why for all."""
    here = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    why = next(filter(None, map(missing, TAGS.values())), "") if here else ""
    if why:
        here[0].add_marker(pytest.mark.skip(reason=why))
        config.hook.pytest_deselected(items=here[1:])
        items[:] = [item for item in items if item not in here[1:]]


@pytest.fixture(params=["service", "operator"])
def image(request: pytest.FixtureRequest) -> Image:
    """Return each image in turn."""
    return Image(request.param)


@pytest.fixture
def service() -> Image:
    """Return the service's image."""
    return Image("service")


@pytest.fixture
def operator() -> Image:
    """Return the operator's image."""
    return Image("operator")


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the repository's root, from which images are built."""
    return ROOT
