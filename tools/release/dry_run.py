"""A release without public registries: `python -m tools.release.dry_run`.

In a copy of the tree whose REGISTRY is a registry on this machine, everything is made as the
workflow makes it, pushed there, signed, pulled back, compared and verified. Images are pushed if
the engine has those that `make images` built. A bill of materials is made of each image, and of
uv.lock. The end of the output lists what only the workflow can do.
"""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tools.go_programs import CHARTS, MISSING, REGISTRY, SYFT, ToolFailed, available
from tools.release.names import ROOT, Names, names
from tools.release.notes import notes
from tools.release.signing import Key

_METADATA: Final = "application/vnd.cncf.artifacthub"


class Unequal(Exception):
    """What came back differs from what was sent, or lacks something; the message says what."""


def main() -> int:
    """Make the release, and print what was done."""
    if not available():
        sys.exit(MISSING)
    with tempfile.TemporaryDirectory() as folder, local_registry() as host:
        tree = Path(folder) / "tree"
        copy(tree)
        rename = [sys.executable, "-m", "tools.release.names", "write", f"{host}/orders"]
        subprocess.run(rename, cwd=tree, check=True)
        try:
            release(tree, Path(folder) / "dist")
        except (ToolFailed, Unequal) as error:
            sys.exit(f"release-dry-run: {error}")
    print(
        "Left to the workflow: attestations, signatures with its identity in the public log, PyPI,"
        " the release page."
    )
    return 0


def release(tree: Path, dist: Path) -> None:
    """Make and publish everything in a tree."""
    said = names(tree)
    print(f"Notes: {len(notes(said.version, None).splitlines())} lines")
    python = [sys.executable, "-m", "tools.release.artifacts", str(dist)]
    subprocess.run(python, cwd=tree, check=True)
    for path in sorted(dist.glob("[!.]*")):
        print(f"Made {path.name}, {path.stat().st_size:,} bytes")
    key = Key(dist / "key")
    chart(said, dist, key)
    bill(f"file:{tree / 'uv.lock'}", {"psqlpy", "kopf"}, dist)
    images(said, dist, key)


def chart(said: Names, dist: Path, key: Key) -> None:
    """Push the chart, signed, and Artifact Hub's metadata beside it, and pull the chart."""
    package = dist / f"orders-{said.version}.tgz"
    where = f"oci://{said.registry}/charts"
    CHARTS.run("helm", "push", package, where, "--plain-http")
    pulled = dist / "pulled"
    pulled.mkdir()
    options = ("--version", said.version, "--plain-http", "--destination", pulled)
    CHARTS.run("helm", "pull", f"{where}/orders", *options)
    same(package, pulled / package.name)
    rendered = CHARTS.run("helm", "template", "orders", pulled / package.name)
    for name in ("service", "operator"):
        if said.image(name) not in rendered:
            raise Unequal(f"the chart does not install {said.image(name)}")
    reference = f"{said.registry}/charts/orders"
    signed(f"{reference}:{said.version}", key)
    REGISTRY.run(
        "oras", "push", "--plain-http", f"{reference}:artifacthub.io",
        "--config", f"/dev/null:{_METADATA}.config.v1+yaml",
        f"charts/artifacthub-repo.yml:{_METADATA}.repository-metadata.layer.v1.yaml",
    )  # fmt: skip
    tags = REGISTRY.run("crane", "ls", "--insecure", reference).split()
    print(f"Pushed, signed and pulled {reference}: {', '.join(sorted(tags))}")


def bill(source: str, expected: set[str], dist: Path) -> None:
    """Make a bill of materials, which must contain the expected names."""
    text = SYFT.run("syft", "scan", source, "--quiet", "--output", "cyclonedx-json")
    found = {part["name"] for part in json.loads(text).get("components", ())}
    if missing := expected - found:
        raise Unequal(f"the bill of materials of {source} does not list {', '.join(missing)}")
    name = source.rpartition("/")[2]
    (dist / f"{name}.cdx.json").write_text(text, encoding="utf-8")
    print(f"Bill of materials of {name}: {len(found)} components")


def signed(reference: str, key: Key) -> str:
    """Sign what a tag names now, and verify it by its tag; return its digest."""
    digest = REGISTRY.run("crane", "digest", "--insecure", reference).strip()
    key.sign(f"{reference.rpartition(':')[0]}@{digest}")
    key.verify(reference)
    return digest


def images(said: Names, dist: Path, key: Key) -> None:
    """Push each image that the engine has, signed, and pull it back."""
    for name, expected in (("service", {"psqlpy", "libc6"}), ("operator", {"kopf", "libc6"})):
        local, archive = names(ROOT).image(name), dist / f"{name}.tar"
        if not saved(local, archive):
            print(f"No engine has {local}: it was not pushed; make images builds it")
            continue
        reference = said.image(name)
        REGISTRY.run("crane", "push", "--insecure", archive, reference)
        digest = signed(reference, key)
        back = dist / f"{name}-pulled.tar"
        REGISTRY.run("crane", "pull", "--insecure", reference, back)
        again = REGISTRY.run("crane", "digest", "--tarball", back).strip()
        if digest != again:
            raise Unequal(f"{reference} was pushed as {digest} and pulled as {again}")
        REGISTRY.run("crane", "validate", "--insecure", "--remote", reference)
        print(f"Pushed, signed and pulled {reference}@{digest}")
        bill(f"docker-archive:{archive}", expected, dist)


def saved(image: str, archive: Path) -> bool:
    """Write an image of the engine to a file; return whether the engine has it."""
    docker = shlex.split(os.environ.get("DOCKER") or "docker")
    with archive.open("wb") as file:
        try:
            command = [*docker, "save", image]
            done = subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, check=False)
        except FileNotFoundError:
            return False
    return done.returncode == 0


def same(sent: Path, received: Path) -> None:
    """Compare two files.

    Raises:
        Unequal: they differ.

    """
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (sent, received)]
    if digests[0] != digests[1]:
        raise Unequal(f"{sent.name} was sent as {digests[0]} and came back as {digests[1]}")


def copy(tree: Path) -> None:
    """Copy the files that git would track in this tree."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_symlink() or (ROOT / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name, follow_symlinks=False)
    (tree / ".cache").symlink_to(ROOT / ".cache")


@contextmanager
def local_registry() -> Iterator[str]:
    """Run a registry on this machine; yield its host and port."""
    command = [str(REGISTRY.path("registry")), "-port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None  # noqa: S101  a pipe, as asked
            said = server.stderr.readline()  # 2026/11/28 11:00:00 serving on port 40000
            port = said.rpartition(" ")[2].strip()
            if not port.isdigit():
                raise Unequal(f"the local registry did not start: {said}")
            threading.Thread(target=server.stderr.read, daemon=True).start()
            yield f"localhost:{port}"
        finally:
            server.terminate()


if __name__ == "__main__":
    sys.exit(main())
