"""The Debian packages that files come from, in the form for scanners of images without dpkg.

Each stanza of dpkg's status is a file in `/var/lib/dpkg/status.d`, as in distroless images, beside
the packages' copyright files.
"""

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_DPKG = Path("/var/lib/dpkg")
_DOC = Path("/usr/share/doc")
_MERGED = re.compile(r"^/(bin|sbin|lib\w*)/")


@dataclass(frozen=True)
class Package:
    """An installed package."""

    name: str
    version: str
    architecture: str
    homepage: str
    stanza: str


def owners(files: Iterable[Path]) -> list[Package]:
    """Return the packages that any of these files come from, sorted by name."""
    wanted = {str(file) for file in files}
    names = set()
    for listing in (_DPKG / "info").glob("*.list"):
        if not wanted.isdisjoint(map(_place, listing.read_text("utf-8").splitlines())):
            names.add(listing.stem.partition(":")[0])
    stanzas = (_DPKG / "status").read_text("utf-8").strip().split("\n\n")
    packages = (_package(stanza) for stanza in stanzas)
    return sorted((p for p in packages if p.name in names), key=lambda package: package.name)


def write(packages: Iterable[Package], root: Path) -> None:
    """Write the packages' status and copyright files below another root."""
    status = root / "var/lib/dpkg/status.d"
    status.mkdir(parents=True)
    for package in packages:
        (status / package.name).write_text(package.stanza + "\n", "utf-8")
        copyright_file = _DOC / package.name / "copyright"
        if copyright_file.is_file():
            target = root / copyright_file.relative_to("/")
            target.parent.mkdir(parents=True)
            shutil.copyfile(copyright_file, target)


def _place(path: str) -> str:
    """Return the path of a file now that /bin and /lib are links."""
    return _MERGED.sub(r"/usr/\1/", path)


def _package(stanza: str) -> Package:
    lines = (line.partition(": ") for line in stanza.splitlines() if line[:1].strip())
    fields = {name: value for name, _, value in lines}
    return Package(
        fields["Package"],
        fields["Version"],
        fields["Architecture"],
        fields.get("Homepage", ""),
        stanza,
    )
