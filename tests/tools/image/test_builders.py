"""Whichever builder is used, an image has the same files and the same configuration."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.tools.image import buildkit
from tests.tools.image.conftest import TAGS, archive
from tools.image import sizes

BUILD_LIMIT = 1200

pytestmark = [
    pytest.mark.timeout(BUILD_LIMIT),
    pytest.mark.skipif(
        "IMAGE_BUILD" not in os.environ,
        reason="IMAGE_BUILD is not set: Docker's builder is BuildKit",
    ),
    pytest.mark.skipif(buildkit.missing() is not None, reason=str(buildkit.missing())),
]


class File(NamedTuple):
    """What a file is, but for its name."""

    kind: bytes
    mode: int
    owner: tuple[int, int]
    time: float
    link: str
    digest: str


def files(saved: bytes) -> dict[str, File]:
    """Return the files of an image, as `docker save` wrote it."""
    found = {}
    for layer in sizes.layers(io.BytesIO(saved)):
        with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
            for it in tar:
                content = tar.extractfile(it) if it.isreg() else None
                digest = hashlib.sha256(content.read()).hexdigest() if content else ""
                owner = (it.uid, it.gid)
                name = it.name.strip("/")
                found[name] = File(it.type, it.mode, owner, int(it.mtime), it.linkname, digest)
    return found


def config(saved: bytes) -> dict[str, Any]:
    """Return how an image says that it is run."""
    with tarfile.open(fileobj=io.BytesIO(saved)) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        [image] = json.load(manifest)
        told = tar.extractfile(image["Config"])
        assert told is not None
        found: dict[str, Any] = json.load(told)["config"]
    keys = ("Env", "Entrypoint", "Cmd", "User", "WorkingDir", "ExposedPorts", "Labels")
    found["Labels"].pop("io.buildah.version", None)  # a builder's own
    return {key: found.get(key) for key in keys}


@pytest.fixture(scope="module")
def engine(root: Path) -> Iterator[buildkit.Engine]:
    """Have an engine with BuildKit."""
    with tempfile.TemporaryDirectory() as folder, buildkit.engine(root, Path(folder)) as made:
        yield made


def test_buildkit_makes_the_same_images(engine: buildkit.Engine, root: Path) -> None:
    """The names, modes, owners, times and contents of all files are those of the other builder."""
    for name, tag in TAGS.items():
        command = [sys.executable, str(root / "tools/images"), "--build-only", name]
        subprocess.run(command, env=engine.environment, check=True, timeout=BUILD_LIMIT)
        save = ["docker", "save", tag]
        built = subprocess.run(
            save, env=engine.environment, capture_output=True, check=True
        ).stdout
        other = archive(tag)
        ours, theirs = files(built), files(other)
        assert set() == ours.keys() ^ theirs.keys()
        assert [] == [(path, it, theirs[path]) for path, it in ours.items() if it != theirs[path]]
        assert config(other) == config(built)
