"""The same source makes the same image."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.image.conftest import TAGS, docker

BUILD_LIMIT = 900


@pytest.mark.timeout(BUILD_LIMIT)
@pytest.mark.skipif(
    "IMAGE_BUILD" not in os.environ, reason="IMAGE_BUILD is not set: no image is built twice"
)
@pytest.mark.parametrize("name", ["service", "operator"])
def test_building_again_gives_the_same_image(name: str, root: Path) -> None:
    """Built once more without what an earlier build left, an image has the same digest."""
    options = f"{os.environ.get('IMAGE_BUILD_OPTIONS', '')} --no-cache"
    digests = []
    for _ in range(2):
        subprocess.run(
            [sys.executable, root / "scripts/images", "--build-only", name],
            env=os.environ | {"IMAGE_BUILD_OPTIONS": shlex.join(shlex.split(options))},
            check=True,
            timeout=BUILD_LIMIT,
        )
        digests.append(docker("image", "inspect", "--format", "{{.Id}}", TAGS[name]).stdout)
    assert digests[0] == digests[1]
