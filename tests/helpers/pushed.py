"""Small images for a registry on this machine."""

import tarfile
from pathlib import Path

from tools.go_programs import REGISTRY


def push_image(folder: Path, reference: str) -> str:
    """Push an image with one file, which has its name; return its digest."""
    (folder / "name").write_text(reference)
    with tarfile.open(folder / "layer.tar", "w") as layer:
        layer.add(folder / "name", "name")
    pushed = REGISTRY.run("crane", "append", "-f", folder / "layer.tar", "-t", reference)
    return pushed.strip().rpartition("@")[2]
