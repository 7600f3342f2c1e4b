"""The same source makes the same image."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.image.conftest import TAGS, docker

BUILD_LIMIT = 900


@pytest.mark.timeout(BUILD_LIMIT)
@pytest.mark.skipif(
    "IMAGE_BUILD" not in os.environ, reason="IMAGE_BUILD is not set: no image is built twice"
)
@pytest.mark.parametrize("name", ["service", "operator"])
def test_building_again_gives_the_same_image(name: str, root: Path) -> None:
    """Built once more without what the first build left, an image has the same digest."""
    options = f"{os.environ.get('IMAGE_BUILD_OPTIONS', '')} --no-cache"
    first = digest(name)
    subprocess.run(
        [sys.executable, root / "tools/images", "--build-only", name],
        env=os.environ | {"IMAGE_BUILD_OPTIONS": options},
        check=True,
        timeout=BUILD_LIMIT,
    )
    assert first == digest(name)


def digest(name: str) -> str:
    """Return what an image is known by."""
    return docker("image", "inspect", "--format", "{{.Id}}", TAGS[name]).stdout
