"""Shared libraries: which ones a program needs, and how they get into the image.

`ldd` asks the loader itself, so it lists exactly what the loader will look for.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

_PATH = re.compile(r"(?:=> )?(/\S+) \(0x")
_TOOLS = "/usr/bin:/bin"
_ELF = b"\x7fELF"


def needed(files: Iterable[Path]) -> list[Path]:
    """Return the libraries that programs and libraries need, including the loader."""
    listed = subprocess.run(
        ["ldd", *files], check=True, capture_output=True, text=True, env={"LC_ALL": "C"}
    ).stdout
    if missing := [line.strip() for line in listed.splitlines() if "not found" in line]:
        raise RuntimeError("; ".join(missing))
    return sorted({Path(path) for path in _PATH.findall(listed)})


def copy(source: Path, target: Path) -> None:
    """Copy a program or a library without the symbols that only a linker reads."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)
    with target.open("rb") as file:
        is_elf = file.read(4) == _ELF
    if is_elf:
        subprocess.run(["strip", "--strip-unneeded", "--", target], check=True)
        for library in _unused(source):
            subprocess.run(["patchelf", "--remove-needed", library, target], check=True)


def _unused(file: Path) -> list[str]:
    """Return the libraries that a file names but does not use."""
    if ".cpython-" not in file.name and ".abi3" not in file.name:
        return []  # the system's own libraries stay as they are
    listed = _output("ldd", "-u", file)
    unused = [Path(line.strip()).name for line in listed.splitlines() if line.startswith("\t")]
    versions = _output("readelf", "--version-info", file)  # the loader checks each of these
    return [library for library in unused if f"File: {library} " not in versions]


def _output(*command: str | Path) -> str:
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={"LC_ALL": "C", "PATH": _TOOLS}
    )
    return done.stdout


def copy_library(library: Path, root: Path) -> set[Path]:
    """Copy a library to its place below another root, with the links that lead to it.

    Returns:
        What was copied, as the packages of the system name it.

    """
    copied = set()
    place = library.parent.resolve() / library.name  # /lib is a link to /usr/lib
    while True:
        copied.add(place)
        target = root / place.relative_to("/")
        if not place.is_symlink():
            if not target.exists():
                copy(place, target)
            return copied
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_symlink():
            target.symlink_to(place.readlink())
        place = place.parent / place.readlink()
        place = place.parent.resolve() / place.name
